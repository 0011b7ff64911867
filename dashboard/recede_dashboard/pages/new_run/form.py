"""The form of a new run, drawn from the catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from recede.client import (
    Catalog,
    ParamSpec,
    RunOut,
    RunSpec,
)
from recede_dashboard.components.attributes import attrs
from recede_dashboard.components.icons import icon
from recede_dashboard.pages.new_run.sections.fields import field_id
from recede_dashboard.pages.new_run.sections.plugins import (
    Entry,
    entries_by_kind,
    plugin_fields,
)
from recede_dashboard.pages.new_run.sections.recipe import recipe_fields, training_fields
from recede_dashboard.pages.new_run.sections.starting import starting_fields
from recede_dashboard.pages.new_run.sections.sweep import sweep_fields, sweep_switch
from recede_dashboard.pages.new_run.values import start, sweep
from recede_dashboard.pages.new_run.values.advice import (
    chosen_dataset,
    n_steps,
    sweep_values,
)
from recede_dashboard.pages.new_run.values.spec import Key
from recede_dashboard.words.specs import GROUPS, LABELS


def initial_values(catalog: Catalog) -> dict[Key, Any]:
    """Values that work: those of the demo run, with strengths made for its number of steps."""
    values = values_of(catalog, catalog.demo, advised=True)
    values["name", ""] = ""
    return values


def values_of(catalog: Catalog, spec: RunSpec, *, advised: bool = False) -> dict[Key, Any]:
    """Values of all fields for a spec; strengths as in it, or those that fit its steps."""
    values: dict[Key, Any] = {(name, ""): getattr(spec, name) for name in LABELS}
    values |= {(path, ""): value for path, value in start.initial().items()}
    values[sweep.SEED_AXIS, ""] = list(sweep.SEEDS)
    steps = n_steps(catalog, spec.model_dump()) or 1
    for kind, entries in entries_by_kind(catalog):
        for entry in entries:
            for param in entry.params:
                given = getattr(spec, GROUPS[kind]) if entry.name == getattr(spec, kind) else {}
                value = given.get(param.name, _default(entry, param))
                if param.per_steps is not None and (advised or param.name not in given):
                    value = param.recommended(steps)
                values[f"{GROUPS[kind]}.{param.name}", entry.name] = value
    for method in catalog.methods:
        strength = sweep.swept(method.params)
        if strength is not None:
            chips = sweep_values(float(strength.recommended(steps)))
            values[sweep.axis_field(strength), method.name] = chips
    return values


def _default(entry: Entry, param: ParamSpec) -> Any:
    """A parameter's default; a folder that has none yet is the first that was found."""
    folders = getattr(entry, "variants", ())
    if param.kind == "text" and param.default == "" and folders:
        ready = [folder for folder in folders if folder.status == "ready"]
        return (ready or folders)[0].name
    return param.default


def initial_advice(catalog: Catalog, values: Mapping[Key, Any]) -> dict[str, float]:
    """Recommended values by "path@owner", as filled in by initial_values."""
    return {
        f"{GROUPS[kind]}.{spec.name}@{entry.name}": values[
            f"{GROUPS[kind]}.{spec.name}", entry.name
        ]
        for kind, entries in entries_by_kind(catalog)
        for entry in entries
        for spec in entry.params
        if spec.per_steps is not None
    }


def run_form(
    catalog: Catalog,
    values: Mapping[Key, Any],
    runs: Sequence[RunOut] = (),
    cut: Component | None = None,
) -> Component:
    """All fields but those of plug-ins that are not chosen, which the browser adds.

    `cut` is the section on the cut that comes first, where the form begins with one.
    """
    own = {kind: values[kind, ""] for kind in GROUPS}
    params = {p: v for (p, owner), v in values.items() if owner == own["dataset"]}
    group = f"{GROUPS['dataset']}."
    own["dataset_params"] = {p.removeprefix(group): v for p, v in params.items()}
    dataset = chosen_dataset(catalog, own)
    starts = values["init.kind", ""] != start.SEED
    return html.Div(
        [
            html.Div(cut, id="run-form-cut", role="status"),
            _section("What to train", plugin_fields(catalog, values, dataset)),
            _section("How to train", training_fields(catalog, values)),
            _folded("recipe", "Schedule, precision and disk", recipe_fields(values)),
            _folded("start", "Starting weights", starting_fields(values, runs), open_=starts),
            _sweep(catalog, values),
            _section(LABELS["name"], [_name(values)]),
            _foot(),
            # What was typed into fields of plug-ins, for when they are chosen again.
            dcc.Store(id="run-form-kept", data={}),
            # What the answer that is shown was of, and how often it had to be asked for again.
            dcc.Store(id="run-form-reviewed"),
            dcc.Store(id="run-form-again", data=0),
        ],
        id="run-form",
        className="run-form",
        role="form",
        **attrs(aria_label="New run", data_testid="run-form"),
    )


def _section(title: str, children: list[Component]) -> Component:
    return html.Fieldset([html.Legend(title), *children], className="form-section")


def _folded(name: str, title: str, children: list[Component], *, open_: bool = False) -> Component:
    """A section that is closed until it is opened, with its state in one line."""
    return html.Details(
        [
            html.Summary(
                [
                    icon("chevron", "fold-sign"),
                    html.Span(title, className="fold-title"),
                    html.Span("", id=f"run-form-{name}-words", className="fold-words"),
                ]
            ),
            html.Div(children, className="fold-body"),
        ],
        className="form-section form-fold",
        open=open_,
        **attrs(data_testid=f"form-{name}"),
    )


def _sweep(catalog: Catalog, values: Mapping[Key, Any]) -> Component:
    head = html.Div(
        [
            html.Div(
                [
                    html.Label("Sweep", htmlFor="run-sweep", className="fold-title"),
                    html.Span("Several strengths and seeds as one group.", className="fold-words"),
                ]
            ),
            sweep_switch(values),
        ],
        className="sweep-head",
    )
    return html.Div([head, *sweep_fields(catalog, values)], className="form-section")


def _name(values: Mapping[Key, Any]) -> Component:
    field: Component = dmc.TextInput(
        id=field_id("name"),
        value=values["name", ""],
        placeholder="Default: method, network and data set",
        **attrs(aria_label=LABELS["name"], data_testid="field-name"),
    )
    return field


def _foot() -> Component:
    copies = [("cli", "Command line"), ("curl", "curl"), ("python", "Python")]
    return html.Div(
        [
            html.Div(id="run-form-alert", role="alert"),
            html.Details(
                [
                    html.Summary([icon("copy"), "Copy as command line, curl or Python"]),
                    *[_snippet(name, label) for name, label in copies],
                ],
                className="snippets",
                **attrs(data_testid="run-snippets"),
            ),
            html.Div(
                [
                    html.Button(
                        "Reset to defaults",
                        id="run-form-reset",
                        type="button",
                        className="btn btn-quiet",
                    ),
                    html.Button(
                        [icon("play"), html.Span("Start run", id="submit-run-words")],
                        id="submit-run",
                        type="button",
                        className="btn btn-primary",
                        **attrs(data_testid="submit-run"),
                    ),
                ],
                className="dialog-buttons",
            ),
        ],
        className="form-foot",
    )


def _snippet(name: str, label: str) -> Component:
    target = f"run-snippet-{name}"
    return html.Div(
        [
            html.Div(
                [
                    html.Span(label, className="label"),
                    html.Button(
                        "Copy",
                        type="button",
                        className="btn btn-small",
                        **attrs(data_copy_from=target),
                    ),
                ],
                className="snippet-head",
            ),
            html.Pre("", id=target, className="code"),
        ],
        className="snippet",
    )
