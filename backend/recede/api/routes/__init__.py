"""The routes of the API, one module a noun."""

from fastapi import APIRouter, Depends

from recede.api.http.deps import known_query
from recede.api.http.errors import documented
from recede.api.routes.pruning import (
    benches,
    curves,
    cuts,
    latencies,
    maps,
    plans,
    scores,
    targets,
)
from recede.api.routes.pruning import snippets as cut_snippets
from recede.api.routes.service import (
    catalog,
    notices,
    system,
)
from recede.api.routes.training import (
    checkpoints,
    groups,
    history,
    jobs,
    layers,
    recordings,
    runs,
    snippets,
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
    recordings,
    groups,
    history,
    layers,
    cuts,
    curves,
    maps,
    targets,
    scores,
    latencies,
    benches,
    plans,
    cut_snippets,
    snippets,
    checkpoints,
    jobs,
    notices,
):
    api.include_router(module.router)

__all__ = ["api"]
