"""A chart with its title, drawn by Plotly in the colours of the scheme."""

from __future__ import annotations

import plotly.graph_objects as go
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.attributes import attrs
from dashboard.figures.template import CONFIG


def chart(id_: str, title: str, figure: go.Figure, note: str = "") -> Component:
    """A figure in its frame; assets/js/charts.js keeps colours and data up to date."""
    head: list[Component] = [html.H3(title)]
    if note:
        head.append(html.Span(note, className="label"))
    return html.Figure(
        [
            html.Figcaption(head, className="chart-head"),
            html.Div(
                dcc.Graph(id=id_, figure=figure, config=CONFIG, style={"height": "100%"}),
                className="chart-body",
            ),
        ],
        className="chart",
        **attrs(data_testid=id_),
    )
