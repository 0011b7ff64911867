"""The application: routes, one error mapper, the guard; the dashboard is mounted by the CLI."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from importlib import metadata
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from recede.api.http import errors
from recede.api.http.access import ContentPolicy, Guard
from recede.api.http.compression import Compression
from recede.api.http.deps import Services
from recede.api.http.errors import MethodNotAllowed
from recede.api.live.notifier import Notices
from recede.api.live.stream import EventHub
from recede.api.routes import api
from recede.api.routes.service import system
from recede.contract.errors import NotFound
from recede.settings import Settings
from recede.store.database.engine import Store

STATIC = Path(__file__).parent / "static"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

_DESCRIPTION = """Train a network, watch unimportant neurons recede, choose the cut, download it.

Every error has one shape: `{"error": {"code", "message", "field", "hint"}}`. Lists are
`{"items", "next"}`; pass `next` as `cursor`. Times are seconds since 1970, sizes bytes.
One multiply-add counts as one MAC; FLOPs are 2 × MACs."""


def version() -> str:
    """The installed version of Recede."""
    return metadata.version("recede")


def create_app(
    settings: Settings, store: Store, keeps_worker: Callable[[], bool] = lambda: False
) -> FastAPI:
    """The API with its documentation; whoever opened the store closes it.

    `keeps_worker` says whether the worker that was started with it runs, be it ready or not.

    `app.state.policy` is the ContentPolicy, for the hashes of a mounted dashboard's scripts;
    `app.state.services.hub.close()` ends every event stream.
    """
    app = FastAPI(
        title="Recede",
        version=version(),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    policy = ContentPolicy()
    app.state.policy = policy
    app.state.services = Services(settings, store, EventHub(store), version(), keeps_worker)
    app.add_middleware(Compression)
    app.add_middleware(Guard, settings=settings, policy=policy)
    errors.install(app)
    app.include_router(api)
    app.include_router(system.root, include_in_schema=False)
    _add_docs(app)
    for path in ("/api", "/api/{rest:path}"):
        app.add_api_route(path, _nothing_here, methods=_METHODS, include_in_schema=False)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services = app.state.services
    hub = services.hub
    notices = Notices(services.store, services.settings)
    tasks = [asyncio.create_task(work.run()) for work in (hub, notices)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _add_docs(app: FastAPI) -> None:
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(STATIC / "docs.html")


def _nothing_here(request: Request) -> None:
    """A path that no route has, or that is asked in a way that its routes do not take."""
    path = request.url.path
    allowed = [
        method.upper()
        for template, methods in request.app.openapi()["paths"].items()
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
        for method in methods
    ]
    if allowed:
        raise MethodNotAllowed(request.method, path, allowed)
    raise NotFound(
        f"There is nothing at {request.scope['path'][:200]}.", hint="/docs lists every route."
    )
