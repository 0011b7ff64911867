"""The catalog of plug-ins, for pages that can do without it and for those that wait for it."""

from __future__ import annotations

import asyncio
import time

from recede.client import ApiError, AsyncRecedeClient, Catalog

PATIENCE_S = 60.0
EVERY_S = 0.3
_BUSY = "unavailable"
"""The code of the API's error."""


async def known_catalog(client: AsyncRecedeClient) -> Catalog | None:
    """The catalog; None before the first worker has published it."""
    try:
        return await client.catalog()
    except ApiError:
        return None


async def offered(client: AsyncRecedeClient) -> Catalog:
    """The catalog; while the first worker of a service starts, it is waited for.

    Raises:
        ApiError: the service does not answer, or no worker is starting there.
    """
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await client.catalog()
        except ApiError as error:
            is_early = error.code == _BUSY and (await client.health()).worker_starting
            if not is_early or time.monotonic() > until:
                raise
        await asyncio.sleep(EVERY_S)
