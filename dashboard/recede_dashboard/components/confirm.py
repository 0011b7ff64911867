"""One dialog for actions that need a confirmation; the browser fills it in."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import html

from recede_dashboard.components.attributes import attrs


def confirm_dialog() -> dmc.Modal:
    """Closed; the script sets its title, its text and the label of its button."""
    return dmc.Modal(
        id="confirm",
        title="",
        size="md",
        children=[
            html.P("", id="confirm-text", className="confirm-text"),
            html.Div(
                [
                    html.Button(
                        "Keep it", id="confirm-no", className="btn", **attrs(data_autofocus="true")
                    ),
                    html.Button("Delete", id="confirm-yes", className="btn btn-danger"),
                ],
                className="dialog-buttons",
            ),
        ],
        **attrs(data_testid="confirm"),
    )
