"""What every page stands in: header, dialogs, notices, the banner of a lost connection."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from recede_dashboard.components.attributes import attrs
from recede_dashboard.components.confirm import confirm_dialog
from recede_dashboard.components.icons import icon
from recede_dashboard.components.keys import keys_dialog
from recede_dashboard.pages.new_run.drawer import run_drawer
from recede_dashboard.serving.theme import MANTINE

SCHEMES = (("light", "sun", "Light"), ("dark", "moon", "Dark"), ("auto", "auto", "System"))

OFFLINE = (
    "Training does not depend on this page. If Recede itself was stopped, training resumes from "
    "the last finished epoch when it is started again. Reconnecting automatically; if this takes "
    "long, check the terminal in which Recede runs."
)


def shell(version: str, templates: dict[str, Any]) -> dmc.MantineProvider:
    """The frame of all pages; `#page` is filled by the router.

    `templates` are the chart templates by colour scheme, for the browser to switch between.
    """
    return dmc.MantineProvider(
        id="mantine",
        theme=MANTINE,
        defaultColorScheme="auto",
        children=[
            dcc.Location(id="location", refresh="callback-nav"),
            dcc.Store(id="chart-templates", data=templates),
            dcc.Store(id="scheme"),
            # Beside the drawer, whose content is only there once it has been opened.
            dcc.Store(id="run-form-fill"),
            # An address to go to: Location would first take back what Explore wrote into its own.
            dcc.Store(id="go"),
            dmc.NotificationContainer(id="notices", position="bottom-left", limit=4),
            html.A("Skip to content", href="#page", className="skip-link"),
            _header(),
            _banner(),
            html.Main(_loading(), id="page", className="page", tabIndex=-1),
            _footer(version),
            run_drawer(),
            confirm_dialog(),
            keys_dialog(),
        ],
    )


def _header() -> html.Header:
    return html.Header(
        className="header",
        children=[
            dcc.Link(
                [html.Span(className="mark", **attrs(aria_hidden="true")), "Recede"],
                href="/",
                className="wordmark",
                title="Recede: all runs",
            ),
            html.Nav(
                [
                    dcc.Link("Runs", href="/", className="nav-link", id="nav-runs"),
                    dcc.Link(
                        "Settings", href="/settings", className="nav-link", id="nav-settings"
                    ),
                    html.A("API", href="/docs", className="nav-link", target="_blank"),
                ],
                className="nav",
                **attrs(aria_label="Pages"),
            ),
            html.Div(
                [
                    html.Span(
                        "Looking for workers…",
                        id="worker-status",
                        className="worker-status",
                        role="status",
                        **attrs(data_state="unknown", data_testid="worker-status"),
                    ),
                    _scheme_switch(),
                    html.Button(
                        "?",
                        id="keys-button",
                        className="icon-button",
                        title="Keyboard shortcuts (?)",
                        **attrs(aria_label="Show keyboard shortcuts", data_action="keys"),
                    ),
                ],
                className="header-side",
            ),
        ],
    )


def _scheme_switch() -> html.Div:
    buttons = [
        html.Button(
            icon(glyph),
            className="icon-button",
            title=f"{label} colours",
            **attrs(
                aria_label=f"{label} colours",
                aria_pressed="false",
                data_scheme=name,
                data_testid=f"scheme-{name}",
            ),
        )
        for name, glyph, label in SCHEMES
    ]
    return html.Div(
        buttons, className="scheme-switch", role="group", **attrs(aria_label="Colour scheme")
    )


def _banner() -> html.Div:
    return html.Div(
        [
            icon("alert"),
            html.Span(
                [
                    html.Strong("Connection to Recede lost. "),
                    OFFLINE,
                ]
            ),
        ],
        id="offline-banner",
        className="banner",
        role="alert",
        hidden=True,
        **attrs(data_testid="offline-banner"),
    )


def _loading() -> html.Div:
    return html.Div("Loading…", className="page-loading", role="status")


def _footer(version: str) -> html.Footer:
    return html.Footer(
        [
            html.Span(f"Recede {version}"),
            html.Span("Nothing leaves this machine."),
        ],
        className="footer",
    )
