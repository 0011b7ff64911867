"""The routes of the API, one module a noun."""

from fastapi import APIRouter, Depends

from backend.deps import known_query
from backend.errors import documented
from backend.routes import (
    catalog,
    checkpoints,
    curves,
    groups,
    history,
    jobs,
    latencies,
    layers,
    maps,
    notices,
    plans,
    pruning,
    runs,
    scores,
    solving,
    system,
)

# Any route may be refused by the guard, be given a bad value, or find the store busy.
api = APIRouter(
    prefix="/api/v1",
    dependencies=[Depends(known_query)],
    responses=documented(403, 422, 500, 503),
)
for module in (
    system,
    catalog,
    runs,
    groups,
    history,
    layers,
    pruning,
    curves,
    maps,
    solving,
    scores,
    latencies,
    plans,
    checkpoints,
    jobs,
    notices,
):
    api.include_router(module.router)

__all__ = ["api"]
