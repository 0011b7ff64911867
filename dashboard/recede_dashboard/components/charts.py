"""A chart with its title, drawn by Plotly in the colours of the scheme, and how it is saved."""

from __future__ import annotations

from importlib import metadata

import plotly.graph_objects as go
from dash import dcc, html
from dash.development.base_component import Component

from recede_dashboard.components.attributes import attrs
from recede_dashboard.components.icons import icon
from recede_dashboard.figures.template import CONFIG

WAYS = {"png": "PNG image", "svg": "SVG image", "csv": "CSV data"}


def chart(id_: str, title: str, figure: go.Figure, note: str = "") -> Component:
    """A figure in its frame; the browser keeps its colours and data up to date."""
    head: list[Component] = [html.H3(title)]
    if note:
        head.append(html.Span(note, className="label"))
    head.append(_saving(id_, title))
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


def _saving(id_: str, title: str) -> Component:
    """The menu from which the browser saves both pictures and the numbers."""
    words = f"Save {title}"
    ways = [
        html.Button(
            label,
            type="button",
            **attrs(data_save_chart=id_, data_way=way, data_testid=f"{id_}-{way}"),
        )
        for way, label in WAYS.items()
    ]
    return html.Details(
        [
            html.Summary(
                icon("down"),
                className="btn btn-small btn-quiet",
                title=words,
                **attrs(aria_label=words, data_testid=f"{id_}-save"),
            ),
            html.Div(ways, className="rx-menu-body rx-menu-list"),
        ],
        className="rx-menu chart-save",
        **attrs(data_title=title, data_version=metadata.version("recede")),
    )
