"""Serves the composed application: a free port, uvicorn, a clean shutdown."""

from __future__ import annotations

import errno
import signal
import socket
from collections.abc import Callable
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from recede.api.app import create_app, version
from recede.api.live.stream import EventHub
from recede.client import AsyncRecedeClient
from recede.contract.errors import InvalidInput
from recede.settings import Settings
from recede.store.database.engine import Store

GRACE_S = 3
"""Time that open downloads get when the service stops."""


def compose(
    settings: Settings, store: Store, keeps_worker: Callable[[], bool] = lambda: False
) -> FastAPI:
    """The API with the dashboard on it."""
    # Imported here: dash takes seconds to import, and only the service needs it.
    from recede_dashboard.app import mount  # noqa: PLC0415

    app = create_app(settings, store, keeps_worker)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    client = AsyncRecedeClient("http://127.0.0.1", transport=transport)
    app.state.policy.script_hashes.extend(mount(app, client, version=version()))
    return app


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises InvalidInput if the port or address cannot be used."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InvalidInput(
            f"Address {host!r} cannot be used: {error.strerror or error}.",
            field="host",
            hint="127.0.0.1 listens on this machine alone, 0.0.0.0 on every network.",
        ) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(socket.SOMAXCONN)
    except OSError as error:
        listener.close()
        raise _refused(host, port, error) from error
    return listener


def serve(app: FastAPI, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP; streams of events end at once."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Server(config, app.state.services.hub, on_ready)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, server.handle_exit)
    # uvicorn raises the signal again after it has stopped: only our own clean-up is left then.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        return


class _Server(uvicorn.Server):
    """uvicorn that says when it is ready and ends event streams before it waits for them."""

    def __init__(
        self, config: uvicorn.Config, hub: EventHub, on_ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._hub = hub
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._on_ready()

    def handle_exit(self, sig: int, frame: Any) -> None:
        self._hub.close()
        super().handle_exit(sig, frame)


def _interrupt(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _refused(host: str, port: int, error: OSError) -> InvalidInput:
    if error.errno == errno.EADDRINUSE:
        return InvalidInput(
            f"Port {port} is in use on {host}.",
            field="port",
            hint=f"Is Recede already running? Else choose another: --port {_free_port(host)}.",
        )
    if error.errno == errno.EACCES:
        return InvalidInput(
            f"This user may not listen on port {port}.",
            field="port",
            hint="Choose one above 1023, for example --port 8400.",
        )
    return InvalidInput(
        f"Cannot listen on {host}:{port}: {error.strerror or error}.",
        field="host",
        hint="Use an address of this machine, for example --host 127.0.0.1.",
    )


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
