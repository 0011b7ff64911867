"""The start page: all runs in one live table, or how to start the first one."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from recede_dashboard.components.attributes import attrs
from recede_dashboard.components.icons import icon

FILTERS = (
    ("", "All"),
    ("running", "Running"),
    ("queued", "Queued"),
    ("succeeded", "Finished"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
)

# Heights of the drawn distribution: weak neurons on the left, strong ones on the right.
_HUMPS = (62, 84, 56, 34, 20, 11, 6, 4, 3, 3, 4, 6, 9, 14, 22, 33, 45, 54, 58, 52, 40, 26, 14, 6)
_VALLEY = 9


def layout(group: tuple[str, str] | None = None) -> Component:
    """Filled in the browser; `data-state` is loading, empty, filled or failed.

    With a `group`, its id and name, only its runs are shown until its chip is removed.
    """
    return html.Div(
        [
            html.Div(
                [
                    html.Div(
                        [html.H1("Runs"), _group_chip(*group) if group else None],
                        className="bar",
                    ),
                    html.Div(
                        [_compare_button(), _search(), _filter(), _new_button()], className="bar"
                    ),
                ],
                className="page-head",
            ),
            dcc.Store(id="runs-attached"),
            dcc.Store(id="runs-filtered"),
            html.Div(_table(), className="table-frame"),
            html.P("No runs match.", className="table-nothing muted", id="runs-nothing"),
            _empty(),
        ],
        id="runs-root",
        className="runs",
        **attrs(data_state="loading", data_group=group[0] if group else ""),
    )


def _group_chip(group_id: str, name: str) -> Component:
    """Names the only group that is shown, with a button to show all runs."""
    return html.Span(
        [
            html.Span("Group", className="muted"),
            dcc.Link(name, href=f"/groups/{group_id}"),
            html.Button(
                icon("cross"),
                className="icon-button",
                title="Show all runs",
                **attrs(aria_label="Show all runs", data_action="all-runs"),
            ),
        ],
        className="filter-chip",
        id="group-chip",
        **attrs(data_testid="group-chip"),
    )


def columns() -> list[dict[str, Any]]:
    """Columns of the table; the browser draws the cells."""
    return [
        _column("state", "State", "StateCell", width=142),
        _column("name", "Run", "NameCell", flex=5, minWidth=170),
        _column("progress", "Progress", "ProgressCell", flex=4, minWidth=172, maxWidth=320),
        _column("method", "Method", "SpecCell", flex=2, minWidth=78),
        _column("architecture", "Network", "SpecCell", flex=2, minWidth=92),
        _column("dataset", "Data", "SpecCell", flex=2, minWidth=118),
        _right("accuracy", "Accuracy", "AccuracyCell", flex=2, minWidth=104),
        _right("lossless", "Lossless cut", "LosslessCell", flex=2, minWidth=118),
        _right("disk", "Disk", "DiskCell", flex=1, minWidth=72),
        _right("age", "Age", "AgeCell", flex=1, minWidth=70),
        _right("actions", "", "ActionsCell", width=76, suppressNavigable=True),
    ]


def _column(name: str, title: str, renderer: str, **more: Any) -> dict[str, Any]:
    return {"colId": name, "headerName": title, "cellRenderer": renderer, **more}


def _right(name: str, title: str, renderer: str, **more: Any) -> dict[str, Any]:
    return _column(name, title, renderer, type="rightAligned", **more)


def _table() -> dag.AgGrid:
    return dag.AgGrid(
        id="runs-table",
        rowModelType="infinite",
        columnDefs=columns(),
        defaultColDef={"sortable": False, "resizable": True, "suppressMovable": True},
        getRowId="params.data.id",
        className="runs-table",
        style={"height": "100%", "width": "100%"},
        dashGridOptions={
            "theme": {"function": "themeQuartz"},
            "rowHeight": 48,
            "headerHeight": 36,
            "cacheBlockSize": 50,
            "maxConcurrentDatasourceRequests": 1,
            "suppressCellFocus": False,
            "rowSelection": {
                "mode": "multiRow",
                "headerCheckbox": False,
                "enableClickSelection": False,
            },
            "selectionColumnDef": {"width": 38, "suppressNavigable": False},
            "suppressNoRowsOverlay": True,
            "ensureDomOrder": True,
        },
    )


def _search() -> dmc.TextInput:
    return dmc.TextInput(
        id="runs-search",
        placeholder="Search by name",
        leftSection=icon("search"),
        size="sm",
        w=200,
        **attrs(aria_label="Search runs by name", data_testid="runs-search"),
    )


def _filter() -> dmc.SegmentedControl:
    return dmc.SegmentedControl(
        id="runs-filter",
        value="",
        data=[{"value": value, "label": label} for value, label in FILTERS],
        size="sm",
        **attrs(aria_label="Show runs by state", data_testid="runs-filter"),
    )


def _compare_button() -> Component:
    """Appears once runs are selected; the browser sets its text and its link."""
    return html.A(
        "Compare",
        id="compare-button",
        className="btn",
        href="/compare",
        hidden=True,
        **attrs(data_testid="compare-button"),
    )


def _new_button() -> Component:
    return html.Button(
        [icon("plus"), "New run"],
        id="new-run-button",
        className="btn btn-primary",
        title="New run (n)",
        **attrs(data_action="new-run", data_testid="new-run-button"),
    )


def _empty() -> Component:
    return html.Section(
        [
            _drawing(),
            html.H2("No runs yet"),
            html.P(
                "The demo trains a small network for a few minutes, shows how its unimportant "
                "neurons recede, and lets you prune them and download the smaller network."
            ),
            html.Div(
                [
                    html.Button(
                        [icon("play"), "Start demo run"],
                        id="demo-button",
                        className="btn btn-primary btn-big",
                        **attrs(data_action="demo", data_testid="demo-button"),
                    ),
                    html.Button(
                        "New run",
                        className="btn btn-big",
                        **attrs(data_action="new-run", data_testid="new-run-empty"),
                    ),
                ],
                className="panel-actions",
            ),
            html.P("", id="demo-note", className="muted"),
        ],
        className="empty",
        **attrs(data_testid="runs-empty"),
    )


def _drawing() -> Component:
    bars = [
        html.Span(className="bar-kept" if i > _VALLEY else "bar-cut", style={"--h": f"{height}%"})
        for i, height in enumerate(_HUMPS)
    ]
    return html.Div(bars, className="humps", **attrs(aria_hidden="true"))
