"""The application over a real store, in-process or behind a real server."""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from recede.api.app import create_app, version
from recede.api.http.deps import Services
from recede.api.live.stream import EventHub
from recede.client import RecedeClient
from recede.contract.spec.run import Plan
from recede.settings import Settings
from recede.store.database.engine import (
    Store,
    open_store,
    sqlite_url,
)
from recede.store.queue import workers
from tests.backend.catalog import CATALOG
from tests.backend.store.samples import (
    add_checkpoint,
    add_epochs,
    add_evaluation,
    add_run,
)

BASE = "http://127.0.0.1:8400"


class InProcess(httpx.BaseTransport):
    """Sends requests of a blocking client straight into the application."""

    def __init__(self, app: FastAPI, *, raise_exceptions: bool = True) -> None:
        self._asgi = httpx.ASGITransport(app=app, raise_app_exceptions=raise_exceptions)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def answer() -> httpx.Response:
            response = await self._asgi.handle_async_request(request)
            assert isinstance(response.stream, httpx.AsyncByteStream)
            body = b"".join([chunk async for chunk in response.stream])
            return httpx.Response(
                response.status_code, headers=response.headers, stream=httpx.ByteStream(body)
            )

        return asyncio.run(answer())


@dataclass
class Finished:
    """A run with three epochs, weights of the last two, and a part of its curve."""

    id: str
    job_id: int
    weights: str


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    chosen = Settings.read({}, data=tmp_path / "data")
    chosen.prepare()
    return chosen


@pytest.fixture
def store(settings: Settings, empty_store: Path) -> Iterator[Store]:
    shutil.copy(empty_store, settings.data / "recede.db")
    opened = open_store(settings.store_url)
    yield opened
    opened.close()


@pytest.fixture
def announce(store: Store) -> Callable[[], None]:
    """Lets a worker appear, with its catalog."""

    def appear() -> None:
        with store.write() as session:
            workers.announce(
                session, id_="w", host="here", pid=1, catalog=CATALOG, versions={"torch": "2"}
            )

    return appear


@pytest.fixture(scope="session")
def routes(empty_store: Path) -> Iterator[FastAPI]:
    """The application, built once: FastAPI prepares every route of every new one."""
    settings = Settings.read({}, data=empty_store.parent)
    store = open_store(sqlite_url(empty_store.with_name("unused.db")))
    yield create_app(settings, store)
    store.close()


@pytest.fixture
def app(
    routes: FastAPI, settings: Settings, store: Store, announce: Callable[[], None]
) -> FastAPI:
    """The application over this test's own store."""
    announce()
    routes.state.policy.script_hashes.clear()
    routes.state.services = Services(settings, store, EventHub(store), version())
    return routes


@pytest.fixture
def http(app: FastAPI) -> Iterator[httpx.Client]:
    with httpx.Client(transport=InProcess(app), base_url=BASE) as client:
        yield client


@pytest.fixture
def recede(app: FastAPI) -> Iterator[RecedeClient]:
    with RecedeClient(BASE, transport=InProcess(app)) as client:
        yield client


@pytest.fixture
def finished(store: Store, settings: Settings) -> Finished:
    run_id, job_id = add_run(store)
    add_epochs(store, run_id, 3)
    add_checkpoint(store, settings.artifacts, run_id, 2)
    weights = add_checkpoint(store, settings.artifacts, run_id, 3)
    for ratio, correct in ((0.0, 90), (0.25, 90), (0.5, 89), (0.75, 40)):
        plan = Plan(epoch=3, ratio=ratio)
        add_evaluation(store, run_id, plan, epoch=3, correct=correct, on_curve=True)
    return Finished(run_id, job_id, weights)


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The application behind a real server on a free port, for what streams."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", lifespan="on", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        app.state.services.hub.close()
        server.should_exit = True
        thread.join(30)
        listener.close()
        assert not thread.is_alive()


@pytest.fixture
def live(app: FastAPI) -> Iterator[str]:
    with serving(app) as url:
        yield url
