"""The page of one run: its state, and the tabs Training, Explore and Files."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from backend.client import AsyncRecedeClient, RunOut
from dashboard.components.attributes import attrs
from dashboard.components.explore import explore
from dashboard.components.icons import icon
from dashboard.components.run.files import files
from dashboard.components.run.training import training
from dashboard.format import number

TABS = {"training": "Training", "explore": "Explore", "files": "Files"}


async def layout(client: AsyncRecedeClient, run_id: str, tab: str | None) -> Component:
    """The page, with the tab of the address or the one that fits the run.

    Raises:
        ApiError: no such run, or the service does not answer.
    """
    run = await client.run(run_id)
    chosen = tab or default_tab(run)
    bodies: dict[str, Any] = dict.fromkeys(TABS)
    bodies[chosen] = await tab_body(client, run, chosen)
    return html.Div(
        [
            dcc.Store(id="run-data", data=run.model_dump(mode="json")),
            dcc.Store(id="run-filled", data=[chosen]),
            dcc.Store(id="files-tick", data=0),
            dcc.Store(id="run-attached"),
            dcc.Store(id="run-tab-shown"),
            dcc.Store(id="run-filled-shown"),
            dcc.Store(id="run-renamed"),
            _head(run),
            html.Div(
                id="run-problem", className="run-problem", **attrs(data_testid="run-problem")
            ),
            html.Div("", id="run-activity", className="run-activity", role="status", hidden=True),
            _tabs(chosen, bodies),
        ],
        id="run-root",
        className="run",
        **attrs(data_run_id=run.id),
    )


def default_tab(run: RunOut) -> str:
    """Explore as soon as there is something to explore, else Training."""
    return "explore" if run.epochs_done >= 1 or run.state == "succeeded" else "training"


async def tab_body(client: AsyncRecedeClient, run: RunOut, tab: str) -> Component:
    """What a tab shows; asked for when it is first opened."""
    if tab == "explore":
        return explore(run.id)
    if tab == "files":
        page = await client.checkpoints(run.id)
        return files(page.items, run)
    return training(run, (await client.epochs(run.id)).items)


def summary(run: RunOut) -> list[tuple[str, str]]:
    """What was asked for, in the fewest words: term and value."""
    spec = run.spec
    return [
        ("Method", _with(spec.method, spec.method_params)),
        ("Network", _with(spec.architecture, spec.architecture_params)),
        ("Data", _with(spec.dataset, spec.dataset_params)),
        ("Training", f"{spec.epochs} epochs, batch {spec.batch_size}, lr {number(spec.lr)}"),
        ("Seed", str(spec.seed)),
    ]


def _with(name: str, params: dict[str, Any]) -> str:
    words = {"lam": "λ", "shift": "b", "width": "×"}
    shown = [
        f"{words.get(key, key)}{'' if key == 'width' else ' '}"
        f"{number(value) if isinstance(value, float) else value}"
        for key, value in params.items()
    ]
    return " ".join([name, *shown])


def _head(run: RunOut) -> Component:
    return html.Div(
        [
            html.Div(
                [
                    dcc.Link("Runs", href="/", className="crumb"),
                    html.Span("/", className="crumb-slash", **attrs(aria_hidden="true")),
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
                    html.Div([html.Dt(term), html.Dd(value)], className="chip")
                    for term, value in summary(run)
                ],
                className="chips",
            ),
        ],
        className="run-head",
    )


def _actions(run: RunOut) -> list[Component]:
    actions = (
        ("cancel", "stop", "Cancel", "Stop between two batches"),
        ("resume", "resume", "Resume", "Go on from the last finished epoch"),
        ("delete", "trash", "Delete", "Delete the run with all its files"),
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
