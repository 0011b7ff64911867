"""The page of one group: runs that were started together, their means and their curves."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from recede.client import (
    AsyncRecedeClient,
    Catalog,
    GroupOut,
)
from recede_dashboard.components.attributes import attrs
from recede_dashboard.components.charts import chart
from recede_dashboard.components.icons import icon
from recede_dashboard.figures import group as draw
from recede_dashboard.pages.group import words
from recede_dashboard.pages.group.callbacks import CHARTS
from recede_dashboard.pages.group.data import figures
from recede_dashboard.pages.group.table import group_table
from recede_dashboard.queries.catalog import known_catalog
from recede_dashboard.words.specs import summary, value_text

NOTES = {
    "curves": "before fine-tuning; thin lines: seeds, thick lines: mean",
    "dots": "one dot per run",
}
TITLES = {"curves": "Accuracy vs. pruning ratio", "dots": "Accuracy vs. removable share"}


async def layout(client: AsyncRecedeClient, group_id: str) -> Component:
    """The page, as the group stands now; the browser keeps it up to date.

    Raises:
        ApiError: no such group, or the service does not answer.
    """
    group = await client.group(group_id)
    catalog = await known_catalog(client)
    labels = words.axis_labels(group, catalog)
    drawn = await figures(client, group, labels)
    return html.Div(
        [
            dcc.Store(id="group-data", data={"id": group.id, "labels": labels}),
            dcc.Store(id="group-figures", data=drawn),
            dcc.Store(id="group-tick"),
            dcc.Store(id="group-attached"),
            *[dcc.Store(id=f"{id_}-name", data=name) for id_, name in CHARTS.items()],
            _head(group, labels, catalog),
            html.Div(
                [
                    html.Div(group_table(group, labels), id="group-table", className="card"),
                    html.Div(
                        [
                            chart(id_, TITLES[name], draw.curves([], 0), NOTES[name])
                            for id_, name in CHARTS.items()
                        ],
                        className="group-charts",
                    ),
                ],
                className="group-body",
            ),
        ],
        id="group-root",
        className="group",
        **attrs(data_group_id=group.id, data_testid="group-root"),
    )


def _head(group: GroupOut, labels: dict[str, str], catalog: Catalog | None) -> Component:
    differs = [
        (labels[axis], ", ".join(value_text(value) for value in values))
        for axis, values in group.axes.items()
    ]
    same = summary(group.spec, catalog, leave_out=group.axes)
    return html.Div(
        [
            html.Div(
                [
                    dcc.Link("Runs", href="/", className="crumb"),
                    html.Span("/", className="crumb-slash", **attrs(aria_hidden="true")),
                    html.H1(group.name, className="group-name", **attrs(data_testid="group-name")),
                    html.Span(
                        words.counts_words(group),
                        id="group-counts",
                        className="muted group-counts",
                        role="status",
                        **attrs(data_testid="group-counts"),
                    ),
                    html.Div(_actions(group), className="run-actions"),
                ],
                className="run-title",
            ),
            html.Dl(
                [_chip(term, value, "chip chip-differs") for term, value in differs]
                + [_chip(term, value, "chip") for term, value in same],
                className="chips",
            ),
        ],
        className="run-head",
    )


def _chip(term: str, value: str, class_name: str) -> Component:
    return html.Div([html.Dt(term), html.Dd(value)], className=class_name)


def _actions(group: GroupOut) -> list[Component]:
    active = words.is_active(group)
    table = dcc.Link(
        [icon("search"), "Show in run list"],
        href=f"/?group={group.id}",
        className="btn",
        title="Show only these runs in the run list",
    )
    compare = dcc.Link(
        "Compare",
        href=f"/compare?group={group.id}",
        className="btn",
        title="Compare distributions, accuracy, cost and settings of these runs",
        id="compare-group",
    )
    return [
        table,
        compare,
        html.Button(
            [icon("stop"), "Cancel all"],
            id="cancel-group",
            className="btn",
            title="Cancel all queued and running runs",
            hidden=not active,
            **attrs(
                data_action="cancel-group", data_group_id=group.id, data_testid="cancel-group"
            ),
        ),
        html.Button(
            [icon("trash"), "Delete"],
            id="delete-group",
            className="btn",
            title="Delete the group, all its runs and their files",
            hidden=active,
            **attrs(
                data_action="delete-group", data_group_id=group.id, data_testid="delete-group"
            ),
        ),
    ]
