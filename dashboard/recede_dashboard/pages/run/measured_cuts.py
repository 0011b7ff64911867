"""Cuts of a training elsewhere, measured by its own metric: what a curve cannot show."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from recede.client import CostOut, CutValue, Metric
from recede_dashboard.components.attributes import attrs
from recede_dashboard.components.tables import table
from recede_dashboard.words import numbers


def measured_cuts(
    values: list[CutValue], metric: Metric, epoch: int | None, dense: CostOut | None
) -> Component | None:
    """The cuts of one epoch by the share that they remove; nothing without any."""
    if not values:
        return None
    name = f"{metric.name}, {metric.unit}" if metric.unit else metric.name
    head = ("Neurons removed", name, "Parameters", "Multiply-adds")
    rows = [
        (
            numbers.share(one.ratio),
            numbers.number(one.value),
            _beside(one.cost.params, None if dense is None else dense.params),
            _beside(one.cost.macs, None if dense is None else dense.macs),
        )
        for one in sorted(values, key=lambda one: one.ratio)
    ]
    return html.Section(
        [
            html.Div(
                [
                    html.H3("Cuts, measured where it trains"),
                    html.Span(f"epoch {epoch}, without interval", className="label"),
                ],
                className="chart-head",
            ),
            table(head, rows, numeric={0, 1, 2, 3}),
        ],
        className="card comparison",
        **attrs(data_testid="measured-cuts"),
    )


def _beside(cost: int, dense: int | None) -> str:
    share = f" ({numbers.share(cost / dense)})" if dense else ""
    return f"{numbers.compact(cost)}{share}"
