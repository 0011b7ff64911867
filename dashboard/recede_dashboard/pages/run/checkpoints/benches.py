"""How long the files of a checkpoint take on devices elsewhere, as those reported it."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from recede.client import BenchOut, CheckpointOut
from recede_dashboard.components.attributes import attrs
from recede_dashboard.components.icons import icon
from recede_dashboard.pages.run.checkpoints.table import FORMATS
from recede_dashboard.words import numbers

SCRIPT = "recede_bench.py"
TITLES = ("Device", "File", "Computed by", "Batch", "Median", "95 % under")


def benches(checkpoint: CheckpointOut) -> Component | None:
    """The timings of a checkpoint, and the script that makes them; None without an ONNX file."""
    timed = checkpoint.benches
    if not timed and "onnx" not in checkpoint.files:
        return None
    parts: list[Component] = [
        html.Div(
            [
                html.H4("Latency on other devices"),
                html.A(
                    [icon("down"), SCRIPT],
                    href="/api/v1/bench.py",
                    className="btn btn-small",
                    title="Times an ONNX file with Python, onnxruntime and numpy alone",
                    **attrs(download=SCRIPT, data_testid=f"bench-script-{checkpoint.kind}"),
                ),
            ],
            className="bench-head",
        )
    ]
    if timed:
        parts.append(_table(timed))
    if "onnx" in checkpoint.files:
        parts.append(_how(checkpoint))
    return html.Div(parts, className="benches", **attrs(data_testid=f"benches-{checkpoint.kind}"))


def _table(timed: list[BenchOut]) -> Component:
    classes = ("", "", "", "num", "num", "num")
    head = [
        html.Th(title, scope="col", className=look)
        for title, look in zip(TITLES, classes, strict=True)
    ]
    return html.Div(
        html.Table(
            [html.Thead(html.Tr(head)), html.Tbody([_row(one) for one in timed])],
            className="table comparison-table",
        ),
        className="table-scroll",
    )


def _row(one: BenchOut) -> Component:
    threads = numbers.plural(one.threads, "thread")
    by: list[Any] = [f"{one.runtime} {one.version}", html.Div(one.provider, className="tile-note")]
    times = [f"{ms:.3g}{numbers.THIN}ms" for ms in (one.median_ms, one.p95_ms)]
    return html.Tr(
        [
            html.Th([one.device, html.Div(threads, className="tile-note")], scope="row"),
            html.Td(FORMATS.get(one.format, one.format)),
            html.Td(by),
            *[html.Td(cell, className="num") for cell in (str(one.batch), *times)],
        ]
    )


def _how(checkpoint: CheckpointOut) -> Component:
    """The command that times a file there and sends the rows here."""
    file = checkpoint.files["onnx"].filename
    command = html.Code(f"python {SCRIPT} {file} --to URL")
    return html.P(
        ["On the device, with this service's address for URL: ", command],
        className="muted int8-note",
    )
