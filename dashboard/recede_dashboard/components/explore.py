"""Explore: the root that the browser draws into; dragging never waits for the server."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from dash import html
from dash.development.base_component import Component

_AREAS = 3


def explore(run_id: str) -> Component:
    """The root of Explore for one run, with a placeholder until its script has drawn it.

    React must find the mount point as empty as it made it, so everything inside belongs to
    the script; a root that is inserted, removed or given another run is noticed by itself.
    """
    hidden: dict[str, Any] = {"aria-hidden": "true"}
    skeleton = html.Div(
        [html.Div() for _ in range(_AREAS)],
        id="explore-skeleton",
        className="rx-skeleton",
        **hidden,
    )
    attributes: dict[str, Any] = {
        "data-recede-explore": "true",
        "data-run": run_id,
        "data-version": metadata.version("recede"),  # recorded in exported data
        "data-testid": "explore-root",
    }
    return html.Div(
        [skeleton, html.Div(id="explore-mount", className="rx-mount")],
        id="explore-root",
        className="rx-root",
        **attributes,
    )
