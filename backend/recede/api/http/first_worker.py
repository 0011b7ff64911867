"""The first seconds of a service: the worker that it started has not said yet what it offers."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

from fastapi import Depends

from recede.api.http.deps import Ctx, Services
from recede.store.queue import workers

MOST_S = 25.0
"""How long a request is held: less than clients wait for an answer."""
_EVERY_S = 0.2


async def first_worker(services: Services, seconds: float = MOST_S) -> None:
    """Wait until some worker has ever said what it offers, while one of this service starts."""
    until = time.monotonic() + seconds
    while (
        services.keeps_worker()
        and time.monotonic() < until
        and not await asyncio.to_thread(_is_known, services)
    ):
        await asyncio.sleep(_EVERY_S)


def _is_known(services: Services) -> bool:
    with services.store.read() as session:
        return workers.is_known(session)


async def _offered(services: Ctx) -> Services:
    await first_worker(services)
    return services


Offered = Annotated[Services, Depends(_offered)]
"""The services, once it is known what can be trained, or does not become known soon."""
