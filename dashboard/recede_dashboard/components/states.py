"""What is shown where there is nothing to show: not found, gone, empty, and why."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from recede.client import ApiError
from recede_dashboard.components.attributes import attrs
from recede_dashboard.components.icons import icon


def problem(title: str, error: ApiError) -> Component:
    """An error of the service in words, with what to do."""
    return panel(title, error.message, error.hint or "")


def run_missing(run_id: str) -> Component:
    """A run that does not exist, or no longer."""
    return panel(
        "Run not found",
        f"There is no run {run_id}. It may have been deleted, or the link is wrong.",
        "",
        dcc.Link("See all runs", href="/", className="btn btn-primary"),
        testid="run-missing",
    )


def group_missing(group_id: str) -> Component:
    """A group that does not exist, or no longer."""
    return panel(
        "Group not found",
        f"There is no group {group_id}. It may have been deleted, or the link is wrong.",
        "",
        dcc.Link("See all runs", href="/", className="btn btn-primary"),
        testid="group-missing",
    )


def page_missing(path: str) -> Component:
    """An address that no page has."""
    return panel(
        "Page not found",
        f"Nothing at {path}.",
        "",
        dcc.Link("See all runs", href="/", className="btn btn-primary"),
        testid="page-missing",
    )


def unreachable(error: ApiError) -> Component:
    """The service does not answer; the page can be reloaded."""
    again = html.A("Try again", href="", className="btn btn-primary")
    return panel(
        "Recede is not responding", error.message, error.hint or "", again, testid="server-gone"
    )


def panel(
    title: str, text: str, hint: str = "", *actions: Component, testid: str = "state-panel"
) -> Component:
    """A quiet panel with a title, a sentence and what can be done."""
    return html.Section(
        [
            icon("alert", "panel-icon"),
            html.H2(title),
            html.P(text),
            html.P(hint, className="muted") if hint else None,
            html.Div(list(actions), className="panel-actions") if actions else None,
        ],
        className="state-panel",
        **attrs(data_testid=testid),
    )
