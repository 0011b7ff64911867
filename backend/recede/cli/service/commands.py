"""Commands that run or tend the service: up, web, worker, upgrade, version."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from typing import Annotated

import typer
from rich.panel import Panel
from rich.table import Table

from recede.api.app import version
from recede.cli.service.keeper import (
    WorkerKeeper,
    worker_command,
    worker_environment,
)
from recede.cli.service.server import (
    compose,
    listen,
    serve,
)
from recede.cli.terminal.console import (
    Data,
    err,
    out,
)
from recede.settings import Settings
from recede.store.database.engine import open_store, upgrade_store

Host = Annotated[
    str | None, typer.Option("--host", envvar="RECEDE_HOST", help="Address to listen on.")
]
Port = Annotated[
    int | None, typer.Option("--port", envvar="RECEDE_PORT", help="Port to listen on.")
]
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def up(
    data: Data = None,
    host: Host = None,
    port: Port = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")] = False,
) -> None:
    """Start the service and one worker, and open the page."""
    settings = Settings.read(os.environ, data=data, host=host, port=port)
    _run(settings, with_worker=True, open_page=not no_open)


def web(data: Data = None, host: Host = None, port: Port = None) -> None:
    """Start the service alone: API and dashboard, without a worker."""
    settings = Settings.read(os.environ, data=data, host=host, port=port)
    _run(settings, with_worker=False, open_page=False)


def worker(data: Data = None) -> None:
    """Start a worker alone, on the same data folder or store as the service."""
    settings = Settings.read(os.environ, data=data)
    settings.prepare()
    command = worker_command(settings)
    os.execve(command[0], command, worker_environment(settings))  # noqa: S606 - becomes the worker, so signals reach it


def upgrade(data: Data = None) -> None:
    """Bring the store of an older Recede to this version. Copy the data folder first."""
    settings = Settings.read(os.environ, data=data)
    settings.prepare()
    before, after = upgrade_store(settings.store_url)
    if before == after:
        out.print(f"The store already has schema {after}; nothing was changed.")
    else:
        out.print(f"The store went from schema {before or 'none'} to {after}.")


def show_version() -> None:
    """Print the version."""
    out.print(f"recede {version()}")


def _run(settings: Settings, *, with_worker: bool, open_page: bool) -> None:
    settings.prepare()
    listener = listen(settings.host, settings.port)
    store = open_store(settings.store_url)
    keeper = WorkerKeeper(
        [*worker_command(settings), "--end-with-stdin"],
        lambda text: err.print(text, style="yellow"),
        environment=worker_environment(settings),
    )

    def ready() -> None:
        _show(settings, with_worker)
        if open_page:
            _open(settings.url)

    try:
        if with_worker:
            keeper.start()
        serve(compose(settings, store), listener, ready)
    finally:
        err.print("Stopping …", style="dim")
        keeper.stop()
        store.close()
        listener.close()


def _show(settings: Settings, with_worker: bool) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_row("Open", f"[bold]{settings.url}[/bold]")
    table.add_row("Data", str(settings.data))
    table.add_row("Worker", "started" if with_worker else "start one with `recede worker`")
    table.add_row("Stop", "ctrl-C")
    out.print(Panel(table, title=f"Recede {version()}", expand=False, border_style="cyan"))
    if settings.host not in _LOOPBACK:
        err.print(
            f"Whoever reaches {settings.host}:{settings.port} can use this service: it asks for "
            "no password. Put a proxy in front that does.",
            style="yellow",
        )


def _open(url: str) -> None:
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        return  # without a desktop a text browser would take over this terminal
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
