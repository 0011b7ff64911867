"""The dialog that lists the keyboard shortcuts."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import html

from recede_dashboard.components.attributes import attrs

KEYS: tuple[tuple[str, tuple[tuple[tuple[str, ...], str], ...]], ...] = (
    (
        "Everywhere",
        (
            (("n",), "New run"),
            (("g", "r"), "Go to runs"),
            (("g", "s"), "Go to settings"),
            (("?",), "Show keyboard shortcuts"),
            (("Esc",), "Close the open dialog"),
        ),
    ),
    (
        "Runs",
        (
            (("↑", "↓"), "Move between runs"),
            (("Enter",), "Open the run"),
            (("Del",), "Cancel or delete the run"),
            (("r",), "Resume the run"),
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
    """Opens with `?`; the browser adds the shortcuts that Explore declares."""
    return dmc.Modal(
        id="keys-dialog",
        title="Keyboard shortcuts",
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
