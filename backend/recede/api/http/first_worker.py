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


async def _offered(services: Ctx) -> Services:
    """Wait until some worker has ever said what it offers, while one of this service starts."""
    until = time.monotonic() + MOST_S
    while (
        services.keeps_worker()
        and time.monotonic() < until
        and not await asyncio.to_thread(_is_known, services)
    ):
        await asyncio.sleep(_EVERY_S)
    return services


def _is_known(services: Services) -> bool:
    with services.store.read() as session:
        return workers.is_known(session)


Offered = Annotated[Services, Depends(_offered)]
"""The services, once it is known what can be trained, or does not become known soon."""
