"""The routes of the API, one module a noun."""

from fastapi import APIRouter

from backend.errors import documented
from backend.routes import catalog, checkpoints, history, jobs, pruning, runs, system

# Any route may be refused by the guard, be given a bad value, or find the store busy.
api = APIRouter(prefix="/api/v1", responses=documented(403, 422, 500, 503))
for module in (system, catalog, runs, history, pruning, checkpoints, jobs):
    api.include_router(module.router)

__all__ = ["api"]
