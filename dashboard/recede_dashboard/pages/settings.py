"""Settings: workers, devices, data sets, disk, versions, and what this is."""

from __future__ import annotations

import asyncio

from dash import dcc, html
from dash.development.base_component import Component

from recede.client import (
    AsyncRecedeClient,
    Catalog,
    DatasetInfo,
    RunOut,
    WorkerOut,
)
from recede_dashboard.components.attributes import attrs
from recede_dashboard.components.notices import notices_card
from recede_dashboard.components.tables import facts, table
from recede_dashboard.queries.catalog import known_catalog
from recede_dashboard.words import numbers

_PAGE = 200
_MOST_RUNS = 2000
_LARGEST = 8


async def layout(client: AsyncRecedeClient) -> Component:
    """Everything on one page, read when it is opened."""
    workers, health = await asyncio.gather(client.workers(), client.health())
    runs = await _all_runs(client)
    catalog = await known_catalog(client)
    return html.Div(
        [
            html.Div(html.H1("Settings"), className="page-head"),
            html.Div(
                [
                    html.Div(
                        [
                            _card("Workers", _workers(workers.items), "workers"),
                            _card("Data sets", _datasets(catalog), "datasets"),
                            _card("About", _about(), "about"),
                        ]
                    ),
                    html.Div(
                        [
                            _card("Notifications", notices_card(), "notices"),
                            _card("Disk", _disk(runs), "disk"),
                            _card(
                                "Versions", _versions(health.version, workers.items), "versions"
                            ),
                        ]
                    ),
                ],
                className="settings-grid",
            ),
        ],
        id="settings-root",
    )


async def _all_runs(client: AsyncRecedeClient) -> list[RunOut]:
    found: list[RunOut] = []
    cursor: str | None = None
    while len(found) < _MOST_RUNS:
        page = await client.runs(limit=_PAGE, cursor=cursor)
        found += page.items
        cursor = page.next
        if cursor is None:
            break
    return found


def _card(title: str, body: Component, name: str) -> Component:
    return html.Section(
        [html.H2(title), body],
        className=f"card card-{name}",
        **attrs(data_testid=f"settings-{name}"),
    )


def _workers(workers: list[WorkerOut]) -> Component:
    if not workers:
        return html.P(
            ["No worker has started yet. Start one with ", html.Code("recede worker"), "."]
        )
    rows = []
    for worker in workers:
        devices = [
            html.Div(
                f"{device.name}: {device.label}"
                + (f", {numbers.size(device.memory_bytes)}" if device.memory_bytes else "")
            )
            for device in worker.devices
        ]
        rows.append(
            [
                html.Span(
                    _state(worker),
                    className="status-word",
                    **attrs(data_status="ready" if worker.alive else "gone"),
                ),
                f"{worker.host} · process {worker.pid}",
                devices or "–",
                _seen(worker.last_seen_s),
            ]
        )
    return table(["State", "Host", "Devices", "Last seen"], rows)


def _state(worker: WorkerOut) -> str:
    if worker.last_seen_s is None:
        return "stopped"
    return "ready" if worker.alive else "offline"


def _seen(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return "now" if seconds < 5 else f"{numbers.duration(seconds)} ago"


def _datasets(catalog: Catalog | None) -> Component:
    if catalog is None:
        return html.P("Available once a worker has started.", className="muted")
    rows = [
        [
            html.Span(
                {"download": "to download"}.get(entry.status, entry.status),
                className="status-word",
                **attrs(data_status=entry.status),
            ),
            [html.Div(entry.label), html.Div(_dataset_detail(entry), className="muted small")],
            f"{entry.channels}×{entry.image_size}×{entry.image_size}",
            numbers.integer(entry.classes),
            numbers.integer(entry.n_train),
            numbers.integer(entry.n_test),
        ]
        for entry in catalog.datasets
    ]
    return table(
        ["State", "Data set", "Image", "Classes", "Train", "Test"], rows, numeric=(3, 4, 5)
    )


def _dataset_detail(entry: DatasetInfo) -> str:
    if entry.status == "download" and entry.download_bytes:
        return f"{entry.detail} {numbers.size(entry.download_bytes)} to download.".strip()
    return entry.detail


def _disk(runs: list[RunOut]) -> Component:
    total = sum(run.disk_bytes for run in runs)
    largest = sorted(runs, key=lambda run: run.disk_bytes, reverse=True)[:_LARGEST]
    rows = [
        [dcc.Link(run.name, href=f"/runs/{run.id}"), run.id, numbers.size(run.disk_bytes)]
        for run in largest
        if run.disk_bytes
    ]
    of = numbers.plural(len(runs), "run")
    return html.Div(
        [
            html.P([html.Strong(numbers.size(total), className="big"), f" in {of}"]),
            table(["Largest runs", "Id", "Disk"], rows, numeric=(2,)) if rows else None,
        ]
    )


def _versions(version: str, workers: list[WorkerOut]) -> Component:
    found = {"recede": version}
    for worker in workers:
        if worker.alive:
            found |= {name: str(value) for name, value in worker.versions.items()}
    return facts(sorted(found.items()))


def _about() -> Component:
    return html.Div(
        [
            html.P(
                "Recede trains a network so that its unimportant neurons recede, lets you choose "
                "the cut, and gives you a smaller network as plain PyTorch weights."
            ),
            html.P(
                "Nothing leaves this machine: no telemetry, no external fonts or scripts, no "
                "chart uploads. A data set is downloaded only if you choose it, and a webhook is "
                "notified only if you set one."
            ),
            html.P(
                "Method: M. Suteu, Y. Guo, Receding Neuron Importances for Structured Pruning, "
                "2022, arXiv 2204.06404."
            ),
            html.P([html.A("API reference", href="/docs", target="_blank")]),
        ],
        className="prose",
    )
