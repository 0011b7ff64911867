"""`recede doctor`: what is found, what is missing, and how to get it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

import typer
from rich.table import Table
from rich.text import Text

from recede.api.app import version
from recede.cli.service.extras import INSTALL, missing_worker_packages
from recede.cli.service.server import listen
from recede.cli.terminal.console import FAILED, Data, out, size
from recede.client import ApiError, RecedeClient
from recede.contract.errors import RecedeError
from recede.contract.spec.catalog import Catalog
from recede.settings import Settings
from recede.store.database.engine import open_store

PROBE_TIMEOUT_S = 180
LOW_DISK_BYTES = 2 << 30
_PACKAGES = ("fastapi", "dash", "plotly")
_OF_A_WORKER = ("torch", "torchvision", "safetensors", "onnx")
_STYLES = {"ok": "green", "note": "yellow", "broken": "red"}


@dataclass(frozen=True)
class Finding:
    """The result of one check; "broken" means that Recede cannot work without it."""

    what: str
    state: Literal["ok", "note", "broken"]
    detail: str


def doctor(data: Data = None) -> None:
    """Check this machine; ends with 1 if something essential is missing or broken."""
    settings = Settings.read(os.environ, data=data)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    broken = 0
    with out.status("Checking…"):
        for finding in findings(settings):
            table.add_row(
                f"[{_STYLES[finding.state]}]{finding.state}[/]", finding.what, Text(finding.detail)
            )
            broken += finding.state == "broken"
    out.print(table)
    if broken:
        problems = "1 problem" if broken == 1 else f"{broken} problems"
        out.print(f"Not ready: {problems} above must be fixed first.", style="red")
        raise typer.Exit(FAILED)
    out.print("Ready. Start with `recede up`.", style="green")


def findings(settings: Settings) -> Iterator[Finding]:
    """Every check, in the order in which a user needs it."""
    yield Finding("recede", "ok", f"{version()} on Python {platform.python_version()}")
    yield from _packages()
    yield from _storage(settings)
    yield _port(settings)
    if missing := missing_worker_packages():
        yield Finding(
            "worker",
            "note",
            f"not installed, so this machine cannot train: {', '.join(missing)} missing. "
            f"To install them: {INSTALL}",
        )
    else:
        yield from _training(settings)


def _packages() -> Iterator[Finding]:
    names = _PACKAGES if missing_worker_packages() else _PACKAGES + _OF_A_WORKER
    for name in names:
        try:
            yield Finding(name, "ok", metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(name, "broken", "not installed; reinstall Recede")


def _storage(settings: Settings) -> Iterator[Finding]:
    try:
        settings.prepare()
        yield Finding("data folder", "ok", str(settings.data))
        open_store(settings.store_url).close()
        yield Finding("store", "ok", "opens and has this version's schema")
    except RecedeError as error:
        yield Finding("data folder", "broken", f"{error.message} {error.hint or ''}")
        return
    free = shutil.disk_usage(settings.data).free
    low = free < LOW_DISK_BYTES
    advice = "; each run keeps several copies of its weights" if low else ""
    yield Finding("disk", "note" if low else "ok", f"{size(free)} free{advice}")


def _port(settings: Settings) -> Finding:
    url = settings.url
    try:
        with RecedeClient(url) as client:
            health = client.health()
        workers = "1 worker" if health.workers_alive == 1 else f"{health.workers_alive} workers"
        detail = f"Recede {health.version} is running with {workers}"
        return Finding("port", "ok", f"{url}: {detail}")
    except ApiError:
        pass  # no Recede listens there, so the port must be free
    try:
        listen(settings.host, settings.port).close()
    except RecedeError as error:
        return Finding("port", "note", f"{error.message} {error.hint or ''}")
    return Finding("port", "ok", f"{settings.host}:{settings.port} is free")


def _training(settings: Settings) -> Iterator[Finding]:
    try:
        catalog = _probe(settings)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        yield Finding("worker", "broken", f"cannot start: {error}")
        return
    for device in catalog.devices:
        memory = f", {size(device.memory_bytes)}" if device.memory_bytes else ""
        yield Finding(device.name, "ok", f"{device.label}{memory}")
    if not any(device.name.startswith("cuda") for device in catalog.devices):
        yield Finding("gpu", "note", "none found: training runs on the CPU")
    for dataset in catalog.datasets:
        fetch = f", {size(dataset.download_bytes)} to download" if dataset.download_bytes else ""
        state: Literal["ok", "note"] = "ok" if dataset.status == "ready" else "note"
        detail = f"{dataset.status}{fetch}{f': {dataset.detail}' if dataset.detail else ''}"
        yield Finding(dataset.name, state, detail)
        for variant in dataset.variants:
            shape = f"{variant.classes} classes, {variant.n_train} + {variant.n_test} images"
            good = variant.status == "ready"
            yield Finding(
                f"  {variant.name}", "ok" if good else "note", shape if good else variant.detail
            )
    for problem in catalog.problems:
        yield Finding("networks", "note", problem)


def _probe(settings: Settings) -> Catalog:
    """The catalog, from a worker process that prints it and exits."""
    command = [sys.executable, "-m", "recede_worker", "--probe"]
    for root in (settings.datasets, *settings.data_roots):
        command += ["--data-root", str(root)]
    for file in settings.networks:
        command += ["--networks", str(file)]
    done = subprocess.run(  # noqa: S603 - our own command line
        command, capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, check=False
    )
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise ValueError(last[0])
    return Catalog.model_validate_json(done.stdout)
