"""What was found in the files of a data set before training: classes, sizes, bad files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component
from pydantic import BaseModel

from recede_dashboard.components.attributes import attrs
from recede_dashboard.components.icons import icon
from recede_dashboard.components.tables import facts
from recede_dashboard.words import numbers

MOST_CLASSES = 24
"""Classes drawn one by one; of more, the largest and the smallest are."""

PARTS = {"train": "training", "val": "validation", "test": "test"}


class BadFile(BaseModel):
    """One file that could not be used, and why."""

    path: str
    reason: str


class BadFiles(BaseModel):
    """How many files could not be used, and the first of them."""

    count: int = 0
    skipped: bool = False
    files: list[BadFile] = []


class DataReport(BaseModel):
    """The report as a run stores it; what a data set does not report is empty."""

    folder: str = ""
    images: int = 0
    classes: dict[str, int] = {}
    parts: dict[str, int] = {}
    sizes: dict[str, tuple[int, int]] = {}
    modes: dict[str, int] = {}
    bad: BadFiles = BadFiles()
    ignored: dict[str, int] = {}
    mean: list[float] = []
    std: list[float] = []


def data_report(given: Mapping[str, Any] | None) -> Component | None:
    """The report as a card, or nothing for a data set that has none."""
    if not given:
        return None
    report = DataReport.model_validate(given)
    return html.Section(
        [
            html.Div(
                [
                    html.H3("Data"),
                    html.Span(_images(report), className="label"),
                    html.Code(
                        html.Bdi(report.folder), className="report-folder", title=report.folder
                    ),
                ],
                className="report-head",
            ),
            html.Div(
                [_balance(report.classes), _facts(report), _bad(report.bad)],
                className="report-body",
            ),
        ],
        className="card report",
        **attrs(data_testid="data-report"),
    )


def _images(report: DataReport) -> str:
    parts = [
        f"{numbers.integer(n)} {PARTS.get(name, name)}" for name, n in report.parts.items() if n
    ]
    classes = numbers.plural(len(report.classes), "class", "classes")
    total = f"{numbers.plural(report.images, 'image')} in {classes}"
    return f"{total} ({', '.join(parts)})" if len(parts) > 1 else total


def _balance(classes: Mapping[str, int]) -> Component:
    """One bar for each class, against the largest."""
    ordered = sorted(classes.items(), key=lambda pair: -pair[1])
    most = max(ordered[0][1], 1) if ordered else 1
    shown = ordered
    gap = len(ordered) - MOST_CLASSES
    if gap > 0:
        shown = ordered[: MOST_CLASSES - 4] + ordered[-4:]
    rows: list[Component] = [_class(name, n, most) for name, n in shown]
    if gap > 0:
        rows.insert(MOST_CLASSES - 4, html.Li(f"… {gap} more …", className="report-gap muted"))
    smallest = ordered[-1][1] if ordered else 0
    note = f"largest ÷ smallest {most / smallest:.1f}" if smallest else "a class is empty"
    return html.Div(
        [
            html.Div([html.H4("Class balance"), html.Span(note, className="label")]),
            html.Ul(rows, className="report-classes"),
        ],
        className="report-part",
        **attrs(data_testid="report-classes"),
    )


def _class(name: str, n: int, most: int) -> Component:
    bar = html.Span(
        html.Span(style={"width": f"{100 * n / most:.1f}%"}),
        className="report-bar",
        **attrs(aria_hidden="true"),
    )
    return html.Li(
        [
            html.Span(name, className="report-class", title=name),
            bar,
            html.Span(numbers.integer(n), className="num"),
        ]
    )


def _facts(report: DataReport) -> Component:
    sizes = [f"{w} × {h}" for w, h in report.sizes.values()]
    rows = [
        ("Sizes", " to ".join(dict.fromkeys(sizes)) or "–"),
        ("Colour modes", _counted(report.modes)),
        ("Mean", _channels(report.mean)),
        ("Standard deviation", _channels(report.std)),
    ]
    if report.ignored:
        rows.append(("Other files", _counted(report.ignored)))
    return html.Div([html.H4("Images"), facts(rows)], className="report-part")


def _counted(of: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {numbers.integer(n)}" for name, n in of.items()) or "–"


def _channels(values: list[float]) -> str:
    return ", ".join(f"{value:.3f}" for value in values) or "–"


def _bad(bad: BadFiles) -> Component:
    if not bad.count:
        line = html.P([icon("check"), "Every file could be read."], className="report-good")
        return html.Div([html.H4("Bad files"), line], className="report-part")
    done = "skipped" if bad.skipped else "not skipped"
    rows = [
        html.Li([html.Code(one.path, title=one.path), html.Span(one.reason, className="muted")])
        for one in bad.files
    ]
    more = bad.count - len(bad.files)
    if more > 0:
        rows.append(html.Li(f"and {numbers.integer(more)} more", className="muted"))
    head = [
        html.H4("Bad files"),
        html.Span(f"{numbers.integer(bad.count)}, {done}", className="label"),
    ]
    return html.Div(
        [html.Div(head), html.Ul(rows, className="report-files", tabIndex=0)],
        className="report-part report-bad",
        **attrs(data_testid="report-bad"),
    )
