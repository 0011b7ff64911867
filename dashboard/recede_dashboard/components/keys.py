"""The dialog that lists the keyboard keys."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import html

from recede_dashboard.components.attributes import attrs

KEYS: tuple[tuple[str, tuple[tuple[tuple[str, ...], str], ...]], ...] = (
    (
        "Everywhere",
        (
            (("n",), "New run"),
            (("g", "r"), "Go to the runs"),
            (("g", "s"), "Go to the settings"),
            (("?",), "Show these keys"),
            (("Esc",), "Close what is open"),
        ),
    ),
    (
        "Runs",
        (
            (("↑", "↓"), "Move between runs"),
            (("Enter",), "Open the run"),
            (("Del",), "Cancel or delete it"),
            (("r",), "Resume it"),
            (("/",), "Search by name"),
        ),
    ),
    (
        "A run",
        (
            (("1",), "Training"),
            (("2",), "Explore"),
            (("3",), "Files"),
        ),
    ),
)


def keys_dialog() -> dmc.Modal:
    """Opens with `?`; assets/js/keys.js adds the keys that Explore declares."""
    return dmc.Modal(
        id="keys-dialog",
        title="Keyboard",
        size="lg",
        children=html.Div(
            [
                *[_section(title, rows) for title, rows in KEYS],
                html.Section(id="keys-explore", className="keys-section"),
            ],
            className="keys-grid",
        ),
        **attrs(data_testid="keys-dialog"),
    )


def _section(title: str, rows: tuple[tuple[tuple[str, ...], str], ...]) -> html.Section:
    lines = [
        html.Div(
            [html.Dt([html.Kbd(key, className="key") for key in keys]), html.Dd(what)],
            className="keys-row",
        )
        for keys, what in rows
    ]
    return html.Section([html.H3(title), html.Dl(lines)], className="keys-section")
