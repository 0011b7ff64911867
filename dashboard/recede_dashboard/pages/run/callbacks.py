"""Callbacks of the page of a run: tabs filled when first opened, files kept fresh."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, no_update
from dash.exceptions import PreventUpdate

from recede.client import ApiError, AsyncRecedeClient
from recede_dashboard.components.states import problem
from recede_dashboard.pages.run.comparison import comparison_of
from recede_dashboard.pages.run.page import TABS, tab_body
from recede_dashboard.pages.run.report import data_report
from recede_dashboard.serving.clientside import in_browser

CHARTS = ("loss-chart", "penalty-chart", "accuracy-chart")


def register(app: Dash, client: AsyncRecedeClient) -> None:
    """Add the callbacks of the run page to the app."""
    _register_tabs(app, client)
    # Callbacks without an output are not called when their page appears: each has a Store.
    for name, store, source in (
        ("attachRun", "run-attached", [Input("run-data", "data")]),
        ("showTab", "run-tab-shown", [Input("run-tabs", "value")]),
        ("showFilled", "run-filled-shown", [Input("run-filled", "data")]),
        ("renameRun", "run-renamed", [Input("run-name", "value")]),
        ("showTimes", "times-shown", [Input("slot-files", "children")]),
        ("attachLog", "log-attached", [Input("log-job", "value"), Input("log-filter", "value")]),
    ):
        in_browser(app, name, Output(store, "data"), *source)
    for chart in CHARTS:
        in_browser(
            app,
            "drawEpochs",
            Output(chart, "figure"),
            Input("epoch-rows", "data"),
            Input("scheme", "data"),
            Input(chart, "relayoutData"),
            State(chart, "figure"),
            State("chart-templates", "data"),
        )

    _register_report(app, client)
    _register_comparison(app, client)


def _register_report(app: Dash, client: AsyncRecedeClient) -> None:
    @app.callback(
        Output("report-slot", "children"),
        Input("report-tick", "data"),
        prevent_initial_call=True,
    )
    async def report(run_id: str | None) -> Any:
        """The report on the data set's files, once it is there."""
        if not run_id:
            raise PreventUpdate
        try:
            return data_report((await client.run(run_id)).data_report)
        except ApiError as error:
            raise PreventUpdate from error


def _register_comparison(app: Dash, client: AsyncRecedeClient) -> None:
    @app.callback(
        Output("comparison-slot", "children"),
        Input("comparison-tick", "data"),
        State("run-data", "data"),
        prevent_initial_call=True,
    )
    async def compare(tick: int, data: dict[str, Any]) -> Any:
        """A fine-tuning before and after, whenever something was measured or kept."""
        if not tick:
            raise PreventUpdate
        try:
            return await comparison_of(client, await client.run(data["id"]))
        except ApiError as error:
            raise PreventUpdate from error


def _register_tabs(app: Dash, client: AsyncRecedeClient) -> None:
    @app.callback(
        *[Output(f"slot-{tab}", "children") for tab in TABS],
        Output("run-filled", "data"),
        Input("run-tabs", "value"),
        State("run-filled", "data"),
        State("run-data", "data"),
        prevent_initial_call=True,
    )
    async def fill(tab: str, filled: list[str], data: dict[str, Any]) -> Any:
        if tab in filled or tab not in TABS:
            raise PreventUpdate
        try:
            body: Any = await tab_body(client, await client.run(data["id"]), tab)
        except ApiError as error:
            body, filled_now = problem("This cannot be shown", error), filled
        else:
            filled_now = [*filled, tab]
        return *[body if name == tab else no_update for name in TABS], filled_now

    @app.callback(
        Output("slot-files", "children", allow_duplicate=True),
        Input("files-tick", "data"),
        State("run-filled", "data"),
        State("run-data", "data"),
        prevent_initial_call=True,
    )
    async def refresh(tick: int, filled: list[str], data: dict[str, Any]) -> Any:
        if not tick or "files" not in filled:
            raise PreventUpdate
        try:
            return await tab_body(client, await client.run(data["id"]), "files")
        except ApiError as error:
            raise PreventUpdate from error
