"""The INT8 file of a cut beside the float networks: accuracy, size and latency in one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from recede_dashboard.components.attributes import attrs
from recede_dashboard.components.icons import icon
from recede_dashboard.words import numbers

NAMES = {"dense": "Dense", "cut": "Cut", "int8": "Cut + INT8"}


def int8_table(manifest: Mapping[str, Any]) -> Component | None:
    """One row a network, then what a loss of more than a point comes from; None without INT8."""
    int8 = manifest.get("int8") or {}
    rows = int8.get("table") or []
    if not rows:
        return None
    timed = rows[0]["latency"]
    titles = ["Network", "Test accuracy", "ONNX file"]
    titles += [f"Latency, batch {one['batch']}" for one in timed]
    head = [
        html.Th(title, scope="col", className="num" * (i > 0)) for i, title in enumerate(titles)
    ]
    parts = [
        html.H4("INT8"),
        html.Div(
            html.Table(
                [html.Thead(html.Tr(head)), html.Tbody([_row(row, rows[1]) for row in rows])],
                className="table comparison-table",
            ),
            className="table-scroll",
        ),
        html.P(_conditions(manifest, int8, timed[0]), className="muted int8-note"),
    ]
    if int8.get("finding"):
        finding = [icon("alert"), html.Span(int8["finding"])]
        parts.append(html.P(finding, className="int8-finding", **attrs(role="note")))
    return html.Div(parts, className="int8", **attrs(data_testid="int8"))


def _row(row: Mapping[str, Any], cut: Mapping[str, Any]) -> Component:
    cells = [_accuracy(row, cut), [numbers.size(row["size_bytes"])]]
    for one in row["latency"]:
        busy = ", busy" if one.get("busy") else ""
        note = f"95 % under {one['p95_ms']:.3g}{numbers.THIN}ms{busy}"
        shown = f"{one['median_ms']:.3g}{numbers.THIN}ms"
        cells.append([shown, html.Div(note, className="tile-note")])
    return html.Tr(
        [
            html.Th(NAMES.get(row["network"], row["network"]), scope="row"),
            *[html.Td(cell, className="num") for cell in cells],
        ],
        **attrs(data_testid=f"int8-{row['network']}"),
    )


def _accuracy(row: Mapping[str, Any], cut: Mapping[str, Any]) -> list[Any]:
    n = row["n"]
    note = numbers.interval(row["low"], row["high"], n)
    if row["network"] == "int8":
        note += f"; {numbers.points((row['correct'] - cut['correct']) / n, n)} points"
    return [numbers.manifest_accuracy(row), html.Div(note, className="tile-note")]


def _conditions(
    manifest: Mapping[str, Any], int8: Mapping[str, Any], timed: Mapping[str, Any]
) -> str:
    """What the figures of the table hold for."""
    version = (manifest.get("versions") or {}).get("onnxruntime", "")
    calibrated = int8["calibration"]
    images = numbers.plural(calibrated["images"], calibrated["of"].removesuffix("s"))
    compared = int8["compared"]
    threads = numbers.plural(timed["threads"], "thread")
    return (
        f"onnxruntime {version} on {timed['device']}, {threads}; "
        f"95 % intervals of {numbers.plural(int8['table'][0]['n'], 'test image')}. "
        f"Calibrated on {images}; same class as the float network for {compared['same_top1']} of "
        f"{numbers.plural(compared['images'], 'validation image')}."
    )
