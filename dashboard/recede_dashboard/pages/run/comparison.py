"""A fine-tuning in one table: the dense network, its cut, and what training made of the cut."""

from __future__ import annotations

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from recede.client import (
    AccuracyOut,
    ApiError,
    AsyncRecedeClient,
    Compared,
    ComparisonOut,
    RunOut,
)
from recede_dashboard.components.attributes import attrs
from recede_dashboard.pages.run.measured_cuts import measured_cuts
from recede_dashboard.words import numbers

HEAD = ("Network", "Validation accuracy", "Test accuracy", "Parameters", "Multiply-adds")
NAMES = {"dense": "Dense", "cut": "Cut, before fine-tuning", "tuned": "After fine-tuning"}


async def comparison_of(client: AsyncRecedeClient, run: RunOut) -> Component | None:
    """The table of a fine-tuning, or of cuts that were measured elsewhere; None of neither."""
    metric = run.recording and run.recording.metric
    if not run.spec.fine_tunes and not metric:
        return None
    try:
        if metric:
            curve = await client.curve(run.id)
            return measured_cuts(curve.values, metric, curve.epoch, curve.dense)
        return comparison(await client.comparison(run.id))
    except ApiError:
        return None


def comparison(found: ComparisonOut) -> Component:
    """The three networks below each other, with the difference to the dense one."""
    dense = found.networks[0]
    cut = "" if found.ratio is None else f"{numbers.share(found.ratio)} of the neurons removed"
    return html.Section(
        [
            html.Div(
                [html.H3("Before and after fine-tuning"), html.Span(cut, className="label")],
                className="chart-head",
            ),
            html.Table(
                [
                    html.Thead(
                        html.Tr(
                            [
                                html.Th(name, scope="col", className="num" if i else "")
                                for i, name in enumerate(HEAD)
                            ]
                        )
                    ),
                    html.Tbody([_row(one, dense, found) for one in found.networks]),
                ],
                className="table comparison-table",
            ),
        ],
        className="card comparison",
        **attrs(data_testid="comparison"),
    )


def _row(one: Compared, dense: Compared, found: ComparisonOut) -> Component:
    other = one is not dense
    cells: list[Any] = [
        _accuracy(one.validation, dense.validation if other else None),
        _accuracy(one.test, dense.test if other else None),
    ]
    for kind in ("params", "macs"):
        value, whole = (getattr(cost, kind) if cost else None for cost in (one.cost, dense.cost))
        cells.append(_cost(value, whole if other else None))
    return html.Tr(
        [
            html.Th(_name(one, found), scope="row"),
            *[html.Td(cell, className="num") for cell in cells],
        ],
        **attrs(data_testid=f"compared-{one.network}"),
    )


def _name(one: Compared, found: ComparisonOut) -> list[Any]:
    note: Any = ""
    if one.network == "dense":
        name = found.parent_name or found.parent
        note = [
            dcc.Link(name, href=f"/runs/{found.parent}"),
            "" if one.epoch is None else f", epoch {one.epoch}",
        ]
    elif one.network == "tuned" and one.epoch is not None:
        note = f"epoch {one.epoch}, best on validation"
    return [NAMES[one.network], html.Div(note, className="tile-note")]


def _accuracy(here: AccuracyOut | None, dense: AccuracyOut | None) -> Any:
    if here is None:
        return "–"
    note = f"n = {numbers.integer(here.n)}"
    if dense is not None:
        note += f"; {numbers.points(here.value - dense.value, here.n)} points"
    return [numbers.accuracy(here), html.Div(note, className="tile-note")]


def _cost(value: int | None, dense: int | None) -> Any:
    if value is None:
        return "–"
    note = numbers.share(value / dense) if dense else numbers.share(1)
    return [numbers.compact(value), html.Div(note, className="tile-note")]
