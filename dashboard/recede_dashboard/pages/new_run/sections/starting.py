"""The section on the weights to start from: random, a file, or another run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from recede.client import PIXELS, RunOut
from recede_dashboard.components.attributes import attrs
from recede_dashboard.pages.new_run.sections.fields import (
    ORDER,
    field_id,
    number_text,
)
from recede_dashboard.pages.new_run.sections.plugins import OPTION
from recede_dashboard.pages.new_run.values import start
from recede_dashboard.pages.new_run.values.spec import Key
from recede_dashboard.words import numbers
from recede_dashboard.words.specs import CHOICES, LABELS

KINDS = (
    (start.SEED, "Random, from the seed"),
    (start.FILE, "From a file"),
    (start.PRETRAINED, "Published"),
    (start.RUN, "From another run"),
)
_TEACHER_HELP = {
    "distill.weight": "Its share of the loss; the rest is the labels'.",
    "distill.temperature": "Divides the logits of both networks; more softens them.",
}
HEAD = "init.head"
"""The panel that any source of weights has."""


def starting_fields(values: Mapping[Key, Any], runs: Sequence[RunOut]) -> list[Component]:
    """Where the weights come from, and what that source needs."""
    kind = values["init.kind", ""]
    radios = [
        dmc.Radio(value=name, label=label, **attrs(data_testid=f"init-{name}"))
        for name, label in KINDS
    ]
    choose = dmc.RadioGroup(
        html.Div(radios, className="radio-line"),
        id=field_id("init.kind"),
        value=kind,
        **attrs(data_testid="field-init.kind", aria_label="Starting weights"),
    )
    return [
        choose,
        _panel(start.FILE, kind, [_file(values)]),
        _panel(start.PRETRAINED, kind, [_pretrained(values)]),
        _panel(start.RUN, kind, _run(values, runs)),
        html.Div(_head(values), id={"type": "run-panel", "owner": HEAD}, hidden=True),
        # The exact plan that came from Explore; never typed.
        html.Div(
            dmc.TextInput(id=field_id("init.plan"), value=values["init.plan", ""]), hidden=True
        ),
    ]


def _head(values: Mapping[Key, Any]) -> Component:
    field: Component = dmc.Select(
        id=field_id("init.new_head"),
        label="Last layer",
        data=[
            {"value": "no", "label": "Keep"},
            {"value": "yes", "label": "Reinitialise, for other classes"},
        ],
        value=values["init.new_head", ""],
        allowDeselect=False,
        inputWrapperOrder=ORDER,
        **attrs(data_testid="field-init.new_head"),
    )
    fields = [field, _classes(values), _scale(values), _normalize(values)]
    return html.Div(html.Div(fields, className="form-grid"), className="plugin-panel init-head")


def _scale(values: Mapping[Key, Any]) -> Component:
    field: Component = dmc.Select(
        id=field_id("scale"),
        label=LABELS["scale"],
        data=[{"value": value, "label": label} for value, label in CHOICES["scale"].items()],
        value=values["scale", ""],
        allowDeselect=False,
        inputWrapperOrder=ORDER,
        description="Of a method that bounds importances. Gates change nothing at first; "
        "automatic takes them where a penalty moves them, unless the weights had bounded batch "
        "norm.",
        **attrs(data_testid="field-scale"),
    )
    return field


def _normalize(values: Mapping[Key, Any]) -> Component:
    field: Component = dmc.Autocomplete(
        id=field_id("normalize"),
        label="Pixels are normalised by",
        data=list(PIXELS),
        value=values["normalize", ""],
        inputWrapperOrder=ORDER,
        description="The weights expect what they were trained with. images: mean and deviation "
        "of the training images; imagenet1k; or numbers, as 0.5,0.5,0.5/0.2,0.2,0.2; auto: as "
        "the weights were trained, where that is known.",
        **attrs(data_testid="field-normalize"),
    )
    return field


def _panel(name: str, chosen: Any, children: list[Component]) -> Component:
    return html.Div(
        html.Div(children, className="form-grid"),
        id={"type": "run-panel", "owner": name},
        className="plugin-panel init-panel",
        hidden=name != chosen,
    )


def _text(values: Mapping[Key, Any], path: str, label: str, help_: str, example: str) -> Component:
    field: Component = dmc.TextInput(
        id=field_id(path),
        label=label,
        value=values[path, ""],
        description=help_,
        placeholder=example,
        inputWrapperOrder=ORDER,
        **attrs(data_testid=f"field-{path}"),
    )
    return field


def _file(values: Mapping[Key, Any]) -> Component:
    help_ = "A state_dict below a data root: .safetensors, or a .pt that loads with weights_only."
    return _text(values, "init.file", "File", help_, "pretrained/weights.safetensors")


def _pretrained(values: Mapping[Key, Any]) -> Component:
    help_ = (
        "What the library of the network calls weights that it publishes; a wrong tag lists all. "
        "The worker downloads them, unless it has them."
    )
    return _text(values, "init.pretrained", "Tag", help_, "IMAGENET1K_V1")


def _classes(values: Mapping[Key, Any]) -> Component:
    help_ = (
        "Names of their outputs in order: a file below a data root (one name a line, or JSON), "
        "imagenet1k, or names separated by commas. The head gets the outputs of this data set's "
        "classes. Empty: as published, or of a file the same classes in the same order. Not for "
        "another run."
    )
    return _text(values, "init.classes", "Classes of the weights", help_, "same as the data set")


def _run(values: Mapping[Key, Any], runs: Sequence[RunOut]) -> list[Component]:
    options = run_options(runs)
    source = dmc.Select(
        id=field_id("init.run"),
        label="Run",
        data=options,
        value=values["init.run", ""] or (options[0]["value"] if options else None),
        searchable=True,
        openOnFocus=False,
        clearable=True,
        nothingFoundMessage="No match",
        placeholder="Choose a run with weights",
        renderOption=OPTION,
        inputWrapperOrder=ORDER,
        description="Its best epoch; the network must be the same.",
        **attrs(data_testid="field-init.run"),
    )
    cut = number_text(
        id=field_id("init.ratio"),
        label="Prune first (fine-tuning)",
        value=values["init.ratio", ""],
        placeholder="not pruned",
        rightSection=html.Span("%", className="muted"),
        inputWrapperOrder=ORDER,
        description="Share of neurons removed before training; empty keeps all.",
        **attrs(data_testid="field-init.ratio"),
    )
    return [
        source,
        cut,
        *_teacher(values),
        html.P("", id="run-form-plan", className="form-steps plan-words"),
    ]


def _teacher(values: Mapping[Key, Any]) -> list[Component]:
    switch = dmc.Select(
        id=field_id("distill"),
        label="Teacher",
        data=[
            {"value": "no", "label": "None"},
            {"value": "yes", "label": "The network before it is pruned"},
        ],
        value=values["distill", ""],
        allowDeselect=False,
        inputWrapperOrder=ORDER,
        description="Knowledge distillation: the pruned network also learns from its logits.",
        **attrs(data_testid="field-distill"),
    )
    fields = [
        number_text(
            id=field_id(path),
            label=label,
            value=values[path, ""],
            inputWrapperOrder=ORDER,
            description=_TEACHER_HELP[path],
            **attrs(data_testid=f"field-{path}"),
        )
        for path, label in start.LABELS.items()
    ]
    return [switch, *fields]


def run_options(runs: Sequence[RunOut]) -> list[dict[str, str]]:
    """Runs that have weights, with their id and accuracy at the right."""
    return [
        {
            "value": run.id,
            "label": run.name,
            "note": f"{run.id} · {numbers.accuracy(run.test_accuracy or run.val_accuracy)}",
        }
        for run in runs
        if run.best_epoch is not None
    ]


def starting_words(values: Mapping[Key, Any], runs: Mapping[str, str]) -> str:
    """Where the weights come from in one line; `runs` are names by id."""
    of = {path: values.get((path, "")) for path in start.PATHS}
    if of["init.kind"] == start.FILE:
        return str(of["init.file"] or "from a file")
    if of["init.kind"] == start.PRETRAINED:
        return f"published: {str(of['init.pretrained']).strip() or 'no tag yet'}"
    if of["init.kind"] == start.RUN:
        name = runs.get(str(of["init.run"]), str(of["init.run"] or "another run"))
        ratio = str(of["init.ratio"] or "").strip(" %")
        taught = ", with a teacher" if of["distill"] == "yes" else ""
        return f"{name}, {ratio} % cut{taught}" if ratio else name
    return "random, from the seed"
