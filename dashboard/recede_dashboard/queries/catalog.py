"""The catalog of plug-ins, for pages that can do without it."""

from __future__ import annotations

from recede.client import ApiError, AsyncRecedeClient, Catalog


async def known_catalog(client: AsyncRecedeClient) -> Catalog | None:
    """The catalog; None before the first worker has published it."""
    try:
        return await client.catalog()
    except ApiError:
        return None
