"""Our own icons: a masked span, silent for screen readers."""

from __future__ import annotations

from dash import html

from recede_dashboard.components.attributes import attrs


def icon(name: str, class_name: str = "") -> html.Span:
    """The icon `--i-<name>` of assets/css/icons.css, in the colour of the text around it."""
    return html.Span(className=f"i i-{name} {class_name}".strip(), **attrs(aria_hidden="true"))
