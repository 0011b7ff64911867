"""The form of a new run, drawn from the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from backend.client import ArchitectureInfo, Catalog, DatasetInfo, MethodInfo
from dashboard.components.attributes import attrs
from dashboard.components.icons import icon
from dashboard.components.new_run.fields import (
    ORDER,
    field_id,
    number_text,
    param_field,
    whole_number,
)
from dashboard.components.new_run.review import LABELS, Key, n_steps
from dashboard.format import number, size

HELP = {
    "epochs": "Passes over the training images.",
    "batch_size": "Images in one optimiser step.",
    "lr": "At the start; divided by 10 at half and at three quarters.",
    "seed": "The same seed gives the same run on the same device.",
    "val_fraction": "Held out of the training images to choose the cut.",
    "device": "Automatic takes the best one that is free.",
}

Entry = ArchitectureInfo | DatasetInfo | MethodInfo


def initial_values(catalog: Catalog) -> dict[Key, Any]:
    """Values that work: those of the demo run, with strengths made for its number of steps."""
    demo = catalog.demo
    values: dict[Key, Any] = {(name, ""): getattr(demo, name) for name in LABELS}
    values["name", ""] = ""
    steps = n_steps(catalog, demo.model_dump()) or 1
    for group, entries in _groups(catalog):
        for entry in entries:
            for spec in entry.params:
                chosen = getattr(demo, group) if entry.name in _chosen(catalog) else {}
                value = chosen.get(spec.name, spec.default)
                values[f"{group}.{spec.name}", entry.name] = (
                    spec.recommended(steps) if spec.per_steps is not None else value
                )
    return values


def initial_advice(catalog: Catalog, values: dict[Key, Any]) -> dict[str, float]:
    """Recommended values by "path@owner", as filled in by initial_values."""
    return {
        f"{group}.{spec.name}@{entry.name}": values[f"{group}.{spec.name}", entry.name]
        for group, entries in _groups(catalog)
        for entry in entries
        for spec in entry.params
        if spec.per_steps is not None
    }


def run_form(catalog: Catalog, values: dict[Key, Any]) -> Component:
    """All fields; those of plug-ins that are not chosen are hidden, so nothing typed is lost."""
    return html.Div(
        [
            _section(
                "What is trained",
                [
                    *_plugin("dataset", "dataset_params", catalog.datasets, values),
                    *_plugin("architecture", "architecture_params", catalog.architectures, values),
                    *_plugin("method", "method_params", catalog.methods, values),
                ],
            ),
            _section("How long and how", _training(catalog, values)),
            _section(
                "What it is called",
                [
                    dmc.TextInput(
                        id=field_id("name"),
                        label=LABELS["name"],
                        value=values["name", ""],
                        placeholder="Made of method, network and data set",
                        **attrs(data_testid="field-name"),
                    )
                ],
            ),
            _foot(),
        ],
        id="run-form",
        className="run-form",
        role="form",
        **attrs(aria_label="New run", data_testid="run-form"),
    )


def dataset_note(entry: DatasetInfo) -> Component:
    """Status of a data set in words: ready, what will be downloaded, or what is missing."""
    facts = (
        f"{entry.n_train:,} training and {entry.n_test:,} test images, {entry.image_size}×"
        f"{entry.image_size}, {entry.classes} classes."
    )
    words = {
        "ready": "Ready.",
        "download": f"The first run downloads {size(entry.download_bytes)}.",
        "missing": "Missing.",
        "unreadable": "Cannot be read.",
    }[entry.status]
    return html.Div(
        [
            html.Span(words, className="status-word", **attrs(data_status=entry.status)),
            html.Span(f" {_sentence(entry.detail)} {facts}"),
        ],
        className="plugin-note",
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}." if text else ""


def plugin_note(entry: ArchitectureInfo | MethodInfo) -> Component:
    """What a network or method is."""
    return html.Div(entry.help, className="plugin-note")


def _groups(catalog: Catalog) -> list[tuple[str, Sequence[Entry]]]:
    return [
        ("dataset_params", catalog.datasets),
        ("architecture_params", catalog.architectures),
        ("method_params", catalog.methods),
    ]


def _chosen(catalog: Catalog) -> set[str]:
    return {catalog.demo.dataset, catalog.demo.architecture, catalog.demo.method}


def _section(title: str, children: list[Component]) -> Component:
    return html.Fieldset([html.Legend(title), *children], className="form-section")


def _plugin(
    kind: str, group: str, entries: Sequence[Entry], values: dict[Key, Any]
) -> list[Component]:
    chosen = values[kind, ""]
    select = dmc.Select(
        id=field_id(kind),
        label=LABELS[kind],
        data=[{"value": entry.name, "label": entry.label} for entry in entries],
        value=chosen,
        allowDeselect=False,
        checkIconPosition="right",
        **attrs(data_testid=f"field-{kind}"),
    )
    panels = [
        html.Div(
            [
                dataset_note(entry) if isinstance(entry, DatasetInfo) else plugin_note(entry),
                html.Div(
                    [
                        param_field(
                            spec, group, entry.name, values[f"{group}.{spec.name}", entry.name]
                        )
                        for spec in entry.params
                    ],
                    className="form-grid",
                ),
            ],
            id={"type": "run-panel", "kind": kind, "owner": entry.name},
            className="plugin-panel",
            hidden=entry.name != chosen,
        )
        for entry in entries
    ]
    return [html.Div([select, *panels], className="plugin")]


def _training(catalog: Catalog, values: dict[Key, Any]) -> list[Component]:
    devices = [{"value": "auto", "label": "Automatic"}]
    devices += [{"value": d.name, "label": f"{d.name} · {d.label}"} for d in catalog.devices]
    fields = [
        whole_number(value=values["epochs", ""], **_own("epochs")),
        whole_number(value=values["batch_size", ""], **_own("batch_size")),
        number_text(value=number(values["lr", ""]), **_own("lr")),
        whole_number(value=values["seed", ""], **_own("seed")),
        number_text(value=number(values["val_fraction", ""]), **_own("val_fraction")),
        dmc.Select(
            data=devices, value=values["device", ""], allowDeselect=False, **_own("device")
        ),
    ]
    return [
        html.Div(fields, className="form-grid"),
        html.P("", id="run-form-steps", className="form-steps", role="status"),
    ]


def _own(name: str) -> dict[str, Any]:
    return {
        "id": field_id(name),
        "label": LABELS[name],
        "description": HELP[name],
        "inputWrapperOrder": ORDER,
        "data-testid": f"field-{name}",
    }


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
                        "Back to the defaults",
                        id="run-form-reset",
                        type="button",
                        className="btn btn-quiet",
                    ),
                    html.Button(
                        [icon("play"), "Start the run"],
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
