"""The drawer that holds the form of a new run; the form is built when it opens."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html

from recede_dashboard.components.attributes import attrs
from recede_dashboard.pages.new_run.sections.cut import NEW


def run_drawer() -> dmc.Drawer:
    """Closed and empty; what was typed stays until the page is reloaded or a run started."""
    return dmc.Drawer(
        id="run-drawer",
        title=NEW,
        position="right",
        size=640,
        padding=0,
        closeButtonProps={"aria-label": "Close"},
        overlayProps={"backgroundOpacity": 0.35},
        children=[
            dcc.Store(id="run-form-advice", data={}),
            dcc.Store(id="run-form-key", data=""),
            dcc.Store(id="run-form-runs-known", data={}),
            html.Div(
                html.Div("Loading the form…", className="page-loading", role="status"),
                id="run-form-body",
                className="run-form-body",
            ),
        ],
        **attrs(data_testid="run-drawer"),
    )
