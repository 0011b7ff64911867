"""Callbacks of the page of a group: everything read again when its runs have gone on."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, no_update
from dash.exceptions import PreventUpdate

from recede.client import ApiError, AsyncRecedeClient
from recede_dashboard.components.states import group_missing
from recede_dashboard.pages.group import words
from recede_dashboard.pages.group.data import figures
from recede_dashboard.pages.group.table import group_table
from recede_dashboard.serving.clientside import in_browser

CHARTS = {"group-curves": "curves", "group-dots": "dots"}


def register(app: Dash, client: AsyncRecedeClient) -> None:
    """Add the callbacks of the group page to the app."""

    @app.callback(
        Output("group-counts", "children"),
        Output("group-table", "children"),
        Output("cancel-group", "hidden"),
        Output("delete-group", "hidden"),
        Output("group-figures", "data"),
        Input("group-tick", "data"),
        State("group-data", "data"),
        prevent_initial_call=True,
    )
    async def refresh(tick: dict[str, Any], data: dict[str, Any]) -> Any:
        try:
            group = await client.group(data["id"])
            drawn = await figures(client, group, data["labels"]) if tick["curves"] else no_update
        except ApiError as error:
            if error.status != 404:
                raise PreventUpdate from error
            return "", group_missing(data["id"]), True, True, no_update
        active = words.is_active(group)
        table = group_table(group, data["labels"])
        return words.counts_words(group), table, not active, active, drawn

    in_browser(app, "attachGroup", Output("group-attached", "data"), Input("group-data", "data"))
    in_browser(
        app, "paintSigns", None, Input("group-table", "children"), State("chart-templates", "data")
    )
    for chart in CHARTS:
        in_browser(
            app,
            "paintGroup",
            Output(chart, "figure"),
            Input("group-figures", "data"),
            Input("scheme", "data"),
            State("chart-templates", "data"),
            State(f"{chart}-name", "data"),
        )
