"""Commands that start or maintain the service: up, web, worker, upgrade, version."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.panel import Panel
from rich.table import Table

from recede.api.app import version
from recede.cli.service.extras import (
    how_to_add_a_worker,
    missing_worker_packages,
    require_worker,
)
from recede.cli.service.keeper import WorkerKeeper, worker_command, worker_environment
from recede.cli.service.server import compose, listen, serve
from recede.cli.terminal.console import Data, err, out
from recede.settings import Settings
from recede.store.database.engine import open_store, require_driver, upgrade_store

Host = Annotated[
    str | None, typer.Option("--host", envvar="RECEDE_HOST", help="Address to listen on.")
]
Port = Annotated[
    int | None, typer.Option("--port", envvar="RECEDE_PORT", help="Port to listen on.")
]
StoreUrl = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="Database as an SQLAlchemy URL, SQLite or PostgreSQL. RECEDE_STORE_URL is the same "
        "and keeps a password out of the process list.",
    ),
]
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def up(
    data: Data = None,
    store: StoreUrl = None,
    host: Host = None,
    port: Port = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")] = False,
) -> None:
    """Start the service and, where one is installed, a worker; open the page."""
    settings = _settings(data, store, host, port)
    _run(settings, with_worker=True, open_page=not no_open)


def web(data: Data = None, store: StoreUrl = None, host: Host = None, port: Port = None) -> None:
    """Start the service alone: API and dashboard, without a worker."""
    settings = _settings(data, store, host, port)
    _run(settings, with_worker=False, open_page=False)


def worker(data: Data = None, store: StoreUrl = None) -> None:
    """Start a worker alone, on the same data folder or store as the service."""
    require_worker("recede worker")
    settings = _settings(data, store)
    settings.prepare()
    command = worker_command(settings)
    os.execve(command[0], command, worker_environment(settings))  # noqa: S606 - becomes the worker, so signals reach it


def upgrade(data: Data = None, store: StoreUrl = None) -> None:
    """Migrate the store of an older Recede to this version. Back up the data folder first."""
    settings = _settings(data, store)
    settings.prepare()
    before, after = upgrade_store(settings.store_url)
    if before == after:
        out.print(f"The store already has schema {after}; nothing was changed.")
    else:
        out.print(f"Migrated the store from schema {before or 'none'} to {after}.")


def show_version() -> None:
    """Print the version."""
    out.print(f"recede {version()}")


def _settings(
    data: Path | None, store: str | None, host: str | None = None, port: int | None = None
) -> Settings:
    """Settings in which the options take precedence over the environment."""
    environ = {**os.environ, "RECEDE_STORE_URL": store} if store else os.environ
    settings = Settings.read(environ, data=data, host=host, port=port)
    require_driver(settings.store_url)
    return settings


def _run(settings: Settings, *, with_worker: bool, open_page: bool) -> None:
    settings.prepare()
    starts_worker = with_worker and not missing_worker_packages()
    keeper = WorkerKeeper(
        [*worker_command(settings), "--end-with-stdin"],
        lambda text: err.print(text, style="yellow"),
        environment=worker_environment(settings),
    )

    def ready() -> None:
        _show(settings, starts_worker)
        if with_worker and not starts_worker:
            # markup=False: [worker] is part of a command, not a style.
            out.print(how_to_add_a_worker(settings.store_url), markup=False, soft_wrap=True)
        if open_page:
            _open(settings.url)

    with (
        closing(listen(settings.host, settings.port)) as listener,
        closing(open_store(settings.store_url)) as store,
    ):
        try:
            if starts_worker:
                keeper.start()
            serve(compose(settings, store, keeper.runs), listener, ready)
        finally:
            err.print("Stopping…", style="dim")
            keeper.stop()


def _show(settings: Settings, worker_started: bool) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_row("Open", f"[bold]{settings.url}[/bold]")
    table.add_row("Data", str(settings.data))
    table.add_row("Worker", _about_worker(worker_started))
    table.add_row("Stop", "Ctrl+C")
    out.print(Panel(table, title=f"Recede {version()}", expand=False, border_style="cyan"))
    if settings.host not in _LOOPBACK:
        err.print(
            f"Anyone who can reach {settings.host}:{settings.port} can use this service: it asks "
            "for no password. Put a proxy in front of it that does.",
            style="yellow",
        )


def _about_worker(started: bool) -> str:
    if started:
        return "started"
    if missing_worker_packages():
        return "none on this machine: only the web side is installed"
    return "start one with `recede worker`"


def _open(url: str) -> None:
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        return  # without a desktop a text browser would take over this terminal
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
