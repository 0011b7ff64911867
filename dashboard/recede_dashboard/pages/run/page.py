"""The page of one run: its state, and the tabs Training, Explore and Files."""

from __future__ import annotations

import asyncio
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from recede.client import (
    ApiError,
    AsyncRecedeClient,
    Catalog,
    RunOut,
)
from recede_dashboard.components.attributes import attrs
from recede_dashboard.components.explore import explore
from recede_dashboard.components.icons import icon
from recede_dashboard.pages.run.checkpoints.tab import files
from recede_dashboard.pages.run.comparison import comparison_of
from recede_dashboard.pages.run.training import training
from recede_dashboard.queries.catalog import known_catalog
from recede_dashboard.words.plans import cut_words
from recede_dashboard.words.specs import summary

TABS = {"training": "Training", "explore": "Explore", "files": "Files"}


async def layout(client: AsyncRecedeClient, run_id: str, tab: str | None) -> Component:
    """The page, with the tab of the address or the one that fits the run.

    Raises:
        ApiError: no such run, or the service does not answer.
    """
    run = await client.run(run_id)
    chosen = tab or default_tab(run)
    bodies: dict[str, Any] = dict.fromkeys(TABS)
    bodies[chosen], parent, catalog = await asyncio.gather(
        tab_body(client, run, chosen), parent_name(client, run), known_catalog(client)
    )
    return html.Div(
        [
            dcc.Store(id="run-data", data=run.model_dump(mode="json")),
            dcc.Store(id="run-filled", data=[chosen]),
            dcc.Store(id="files-tick", data=0),
            dcc.Store(id="run-attached"),
            dcc.Store(id="run-tab-shown"),
            dcc.Store(id="run-filled-shown"),
            dcc.Store(id="run-renamed"),
            dcc.Store(id="times-shown"),
            _head(run, parent, catalog),
            html.Div(
                id="run-problem", className="run-problem", **attrs(data_testid="run-problem")
            ),
            html.Div(
                id="run-notices",
                className="run-notices",
                role="status",
                **attrs(data_testid="run-notices"),
            ),
            html.Div("", id="run-activity", className="run-activity", role="status", hidden=True),
            _tabs(chosen, bodies),
        ],
        id="run-root",
        className="run",
        **attrs(data_run_id=run.id),
    )


async def parent_name(client: AsyncRecedeClient, run: RunOut) -> str | None:
    """Name of the run whose weights it started from; None if it was deleted."""
    if run.parent is None:
        return None
    try:
        return (await client.run(run.parent)).name
    except ApiError:
        return None


def default_tab(run: RunOut) -> str:
    """Explore as soon as there is something to explore, else Training."""
    return "explore" if run.epochs_done >= 1 or run.state == "succeeded" else "training"


async def tab_body(client: AsyncRecedeClient, run: RunOut, tab: str) -> Component:
    """What a tab shows; queried when it is first opened."""
    if tab == "explore":
        return explore(run.id)
    compared = await comparison_of(client, run)
    if tab == "files":
        page = await client.checkpoints(run.id)
        return files(page.items, run, compared)
    epochs = (await client.epochs(run.id)).items
    return training(run, epochs, await known_catalog(client), compared)


def _head(run: RunOut, parent: str | None, catalog: Catalog | None) -> Component:
    return html.Div(
        [
            html.Div(
                [
                    *_crumbs(run),
                    dmc.TextInput(
                        id="run-name",
                        value=run.name,
                        debounce=True,
                        variant="unstyled",
                        classNames={"input": "run-name"},
                        inputProps={"maxLength": 120, "spellCheck": False},
                        autoComplete="off",
                        **attrs(aria_label="Name of this run", data_testid="run-name"),
                    ),
                    html.Span(
                        "",
                        id="run-state",
                        className="state",
                        role="status",
                        **attrs(data_state=run.state, data_testid="run-state"),
                    ),
                    html.Div(_actions(run), className="run-actions"),
                ],
                className="run-title",
            ),
            html.Dl(
                [
                    *[
                        html.Div([html.Dt(term), html.Dd(value)], className="chip")
                        for term, value in summary(run.spec, catalog)
                    ],
                    origin(run, parent),
                ],
                className="chips",
            ),
        ],
        className="run-head",
    )


def _crumbs(run: RunOut) -> list[Component]:
    """The way back: to all runs, and to the group that it was started with."""
    steps = [("Runs", "/")]
    if run.group_id is not None:
        steps.append(("Group", f"/groups/{run.group_id}"))
    out: list[Component] = []
    for label, href in steps:
        out.append(dcc.Link(label, href=href, className="crumb"))
        out.append(html.Span("/", className="crumb-slash", **attrs(aria_hidden="true")))
    return out


def origin(run: RunOut, parent: str | None) -> Component | None:
    """Whose weights it started from, for example "fine-tuned from Demo, 60 % … removed"."""
    init = run.spec.init
    if init is None:
        return None
    source: Any = init.file or f"published weights {init.pretrained}"
    if init.run is not None:
        gone = html.Code(init.run, title="This run has been deleted")
        source = dcc.Link(parent, href=f"/runs/{init.run}") if parent else gone
    term, cut = "Started from", ""
    if init.plan is not None:
        term = "Fine-tuned from"
        cut = f", {cut_words(init.plan.model_dump())}"
    return html.Div(
        [html.Dt(term), html.Dd([source, cut])], className="chip", **attrs(data_testid="origin")
    )


def _actions(run: RunOut) -> list[Component]:
    actions = (
        ("cancel", "stop", "Cancel", "Stop after the current batch"),
        ("resume", "resume", "Resume", "Resume from the last finished epoch"),
        ("delete", "trash", "Delete", "Delete the run and all its files"),
    )
    return [
        html.Button(
            [icon(glyph), label],
            id=f"{name}-run",
            className="btn",
            title=title,
            hidden=True,
            **attrs(data_action=name, data_run_id=run.id, data_testid=f"{name}-run"),
        )
        for name, glyph, label, title in actions
    ]


def _tabs(chosen: str, bodies: dict[str, Any]) -> dmc.Tabs:
    head = dmc.TabsList(
        [
            dmc.TabsTab(label, value=name, **attrs(data_testid=f"tab-{name}"))
            for name, label in TABS.items()
        ]
    )
    panels = [
        dmc.TabsPanel(html.Div(body, id=f"slot-{name}"), value=name)
        for name, body in bodies.items()
    ]
    return dmc.Tabs(
        [head, *panels], id="run-tabs", value=chosen, keepMounted=True, className="run-tabs"
    )
