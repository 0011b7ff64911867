"""How the user is notified of runs: by this browser, and by a webhook."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from recede_dashboard.components.attributes import attrs

_SENT = (
    "Off unless you enter an address. Recede then posts a small JSON message to it when a run "
    "finishes, fails or stalls, with the run's name and its accuracy or the reason."
)


def notices_card() -> Component:
    """The switch and the address, which the browser fills in and saves."""
    return html.Div(
        [
            # Its callback is how the scripts learn that this page is shown.
            dcc.Store(id="notices-attached"),
            _browser(),
            html.Form(_webhook(), id="webhook-form", className="webhook", noValidate=True),
        ],
        className="notice-settings",
    )


def _browser() -> Component:
    switch: Component = dmc.Switch(
        id="notices-switch",
        label="Notifications from this browser",
        size="sm",
        withThumbIndicator=False,
        **attrs(aria_describedby="notices-words", data_testid="notices-switch"),
    )
    words = html.P(
        "",
        id="notices-words",
        className="muted small",
        role="status",
        **attrs(data_testid="notices-words"),
    )
    return html.Div([switch, words], className="notice-browser")


def _webhook() -> list[Component]:
    address: Component = dmc.TextInput(
        id="webhook-url",
        label="Webhook",
        placeholder="None; nothing is sent",
        autoComplete="off",
        description=_SENT,
        inputProps=attrs(inputMode="url", spellCheck="false", data_testid="webhook-url"),
    )
    buttons = html.Div(
        [
            html.Button(
                text,
                id=f"webhook-{name}",
                className="btn btn-small",
                type="submit" if name == "save" else "button",
                hidden=name != "save",
                **attrs(data_webhook=name, data_testid=f"webhook-{name}"),
            )
            for name, text in (("save", "Save"), ("test", "Send test"), ("off", "Turn off"))
        ],
        className="bar",
    )
    words = html.P(
        "",
        id="webhook-words",
        className="small",
        role="status",
        **attrs(data_testid="webhook-words"),
    )
    return [address, buttons, words]
