"""The table of a group: each combination with a line for each seed and one for their mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from recede.client import (
    AccuracyOut,
    GroupOut,
    RunOut,
    SummaryRow,
)
from recede_dashboard.components.attributes import attrs
from recede_dashboard.pages.group import words
from recede_dashboard.words import numbers
from recede_dashboard.words.specs import value_text

MEASURES = (
    ("val_accuracy", "Validation", "Validation accuracy at the best epoch"),
    ("test_accuracy", "Test", "Test accuracy of the dense network at its best epoch"),
    (
        "lossless_ratio",
        "Lossless cut",
        "Largest cut within one standard error of the dense network",
    ),
    ("receded", "Receded", "Share of neurons whose final importance is below 0.1"),
)


def group_table(group: GroupOut, labels: Mapping[str, str]) -> Component:
    """All runs, those that differ in the seed alone together."""
    axes = [axis for axis in group.axes if axis != words.SEED]
    head = [
        html.Th(" · ".join(labels[axis] for axis in axes) or "Runs", scope="col"),
        html.Th("Seed", scope="col", className="num"),
        html.Th("State", scope="col"),
        *[_measure(key, name, title) for key, name, title in MEASURES],
    ]
    runs = [(words.step_of(group, run), run) for run in group.runs]
    bodies = [
        _combination(i, row, [run for step, run in runs if step == i], len(group.summary))
        for i, row in enumerate(group.summary)
    ]
    return html.Table(
        [html.Thead(html.Tr(head)), *bodies],
        className="table group-table",
        **attrs(data_testid="group-table"),
    )


def _measure(key: str, name: str, title: str) -> Component:
    """The head of a column; its word is explained with a line of its own above the glossary's."""
    own = {"data_term": "test"} if key == "test_accuracy" else {}  # "Test" alone is no term
    return html.Th(name, scope="col", title=title, className="num", **attrs(**own))


def _combination(step: int, row: SummaryRow, runs: list[RunOut], steps: int) -> Component:
    several = len(runs) > 1
    lines = [_run(run) for run in runs]
    if lines:
        lines[0].children = [_key(step, row, len(runs) + several, steps), *lines[0].children]
    if several:
        lines.append(_mean(row, runs))
    return html.Tbody(lines, **attrs(data_step=str(step)))


def _key(step: int, row: SummaryRow, span: int, steps: int) -> Component:
    value = ", ".join(value_text(value) for value in row.values.values()) or "all"
    sign = html.Span(
        className="step-sign", **attrs(aria_hidden="true", data_step=str(step), data_of=str(steps))
    )
    return html.Th(
        html.Span([sign, value], className="group-key"),
        scope="rowgroup",
        rowSpan=span,
        className="group-key-cell",
    )


def _run(run: RunOut) -> Component:
    key, text = words.state_words(run)
    receded = None if run.polarisation is None else run.polarisation.below_01
    return html.Tr(
        [
            html.Td(
                dcc.Link(
                    str(run.spec.seed),
                    href=f"/runs/{run.id}",
                    title=f"{run.name} ({run.id})",
                    className="group-seed",
                ),
                className="num",
            ),
            html.Td(_state(run, key, text)),
            html.Td(numbers.accuracy(run.val_accuracy), className="num"),
            html.Td(numbers.accuracy(run.test_accuracy), className="num"),
            html.Td(_lossless(run.lossless_ratio), className="num"),
            html.Td(_share(receded), className="num"),
        ],
        className="group-run",
        **attrs(data_run_id=run.id, data_state=key, data_testid=f"group-run-{run.id}"),
    )


def _state(run: RunOut, key: str, text: str) -> Component:
    title = "" if run.error is None else f"{run.error.message} {run.error.hint or ''}".strip()
    word = html.Span(text, className="state", title=title, **attrs(data_state=key))
    if key not in ("running", "stalled", "cancelling"):
        return word
    percent = f"{100 * words.done(run):.0f}%"
    meter = html.Span(
        html.Span(style={"width": percent}),
        className="meter",
        role="progressbar",
        **attrs(
            aria_valuenow=percent.removesuffix("%"),
            aria_label=f"Progress of {run.name}",
            data_live="true",
        ),
    )
    trained = f"{run.epochs_done}/{run.spec.epochs} epochs"
    epochs = html.Span(trained if run.spec.trains else "not trained here", className="muted small")
    return html.Span([word, epochs, meter], className="group-progress")


def _lossless(ratio: float | None) -> Any:
    if ratio is None:
        return _share(None)
    bar = html.Span(
        html.Span(style={"width": f"{100 * ratio:.0f}%"}),
        className="cutbar",
        **attrs(aria_hidden="true"),
    )
    return html.Span([bar, _share(ratio)], className="cell-lossless")


def _share(value: float | None) -> str:
    return numbers.NOTHING if value is None else numbers.fixed_share(value, 0)


def _mean(row: SummaryRow, runs: list[RunOut]) -> Component:
    digits = {
        "val_accuracy": _decimals([run.val_accuracy for run in runs]),
        "test_accuracy": _decimals([run.test_accuracy for run in runs]),
    }
    cells = [
        html.Td(
            words.spread_text(getattr(row, name), digits.get(name, 1)),
            className="num",
            title=words.spread_title(getattr(row, name)),
        )
        for name, _, _ in MEASURES
    ]
    label = html.Td(
        ["mean ± s.d.", html.Span(f"{row.finished} of {row.runs} finished", className="small")],
        colSpan=2,
        className="group-mean-label",
    )
    return html.Tr([label, *cells], className="group-mean")


def _decimals(accuracies: list[AccuracyOut | None]) -> int:
    """As many digits as a single run deserves."""
    n = [one.n for one in accuracies if one is not None]
    return max(1, numbers.decimals(min(n))) if n else 1
