"""How long and how: epochs, batch, device; folded behind them schedule, precision and disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from recede.client import RECIPE_FIELDS, RECIPES, Catalog
from recede_dashboard.components.attributes import attrs
from recede_dashboard.pages.new_run.sections.fields import (
    ORDER,
    field_id,
    number_text,
    whole_number,
    yes_no,
)
from recede_dashboard.pages.new_run.values.spec import Key
from recede_dashboard.pages.new_run.values.typed_number import read_number
from recede_dashboard.words.numbers import number, plural
from recede_dashboard.words.specs import CHOICES, LABELS

HELP = {
    **{field.name: field.help for field in RECIPE_FIELDS},
    # Of a choice in the words of its options.
    "device": "Automatic takes the best free device.",
    "schedule": "Steps: divided by 10 at one half and at three quarters of the training. "
    "Cosine: falls smoothly to 0.",
    "precision": "bf16 is faster where the device has it.",
    "prunable": "Of a residual block the inner channels go alone; the others only all together.",
}
RECIPE: Key = ("recipe", "")
"""The recipe of a fine-tuning, where the form was opened for one; not a field of the spec."""
FOLDED = ("schedule", "warmup_epochs", "label_smoothing", "precision", "compile", "processes")


def training_fields(catalog: Catalog, values: Mapping[Key, Any]) -> list[Component]:
    """The fields that every run needs."""
    devices = [{"value": "auto", "label": "Automatic"}]
    devices += [{"value": d.name, "label": f"{d.name} · {d.label}"} for d in catalog.devices]
    fields = [
        whole_number(value=values["epochs", ""], **_own("epochs")),
        whole_number(value=values["batch_size", ""], **_own("batch_size")),
        number_text(value=number(values["lr", ""]), **_own("lr")),
        whole_number(value=values["seed", ""], **_own("seed")),
        number_text(value=number(values["val_fraction", ""]), **_own("val_fraction")),
        _choice("device", devices, values),
        _choice("prunable", _labelled("prunable"), values),
    ]
    return [
        *_recipes(values.get(RECIPE)),
        html.Div(fields, className="form-grid"),
        html.P("", id="run-form-steps", className="form-steps", role="status"),
        html.Dl(id="run-form-forecast", className="form-facts"),
    ]


def _recipes(chosen: str | None) -> list[Component]:
    """The choice of a recipe, for a fine-tuning; another one fills the form anew."""
    if chosen is None:
        return []
    control = dmc.SegmentedControl(
        id="run-form-recipe",
        data=[{"value": one.name, "label": one.label} for one in RECIPES],
        value=chosen,
        size="xs",
        **attrs(data_testid="run-form-recipe", aria_label="Fine-tuning recipe"),
    )
    help_ = next(one.help for one in RECIPES if one.name == chosen)
    return [
        html.Div(
            [html.Span("Recipe", className="label"), control, html.Span(help_, className="muted")],
            className="recipe-line",
        )
    ]


def recipe_fields(values: Mapping[Key, Any]) -> list[Component]:
    """The fields that few runs change."""
    fields = [
        _choice("schedule", _labelled("schedule"), values),
        whole_number(value=values["warmup_epochs", ""], **_own("warmup_epochs")),
        number_text(value=number(values["label_smoothing", ""]), **_own("label_smoothing")),
        _choice("precision", _labelled("precision"), values),
        yes_no(values["compile", ""], **_own("compile")),
        whole_number(value=values["processes", ""], **_own("processes")),
        number_text(value=number(values["map_budget", ""]), **_own("map_budget")),
        whole_number(value=values["keep_weights_mb", ""], **_own("keep_weights_mb")),
    ]
    return [html.Div(fields, className="form-grid")]


def recipe_words(values: Mapping[Key, Any]) -> str:
    """The section in one line, while it is folded."""
    of = {name: values.get((name, "")) for name in FOLDED}
    parts = ["cosine" if of["schedule"] == "cosine" else "steps ÷ 10"]
    if warmup := read_number(of["warmup_epochs"], whole=True):
        parts.append(plural(int(warmup), "warm-up epoch"))
    if str(of["label_smoothing"]) not in ("0", "0.0", ""):
        parts.append(f"smoothing {of['label_smoothing']}")
    parts.append("automatic precision" if of["precision"] == "auto" else str(of["precision"]))
    if of["compile"] in (True, "yes"):
        parts.append("compiled")
    processes = read_number(of["processes"], whole=True)
    if processes != 1:
        parts.append(plural(int(processes or 0), "process", "processes"))
    return ", ".join(parts)


def _labelled(name: str) -> list[dict[str, str]]:
    return [{"value": value, "label": label} for value, label in CHOICES[name].items()]


def _choice(name: str, data: list[dict[str, str]], values: Mapping[Key, Any]) -> Component:
    field: Component = dmc.Select(
        data=data, value=values[name, ""], allowDeselect=False, **_own(name)
    )
    return field


def _own(name: str) -> dict[str, Any]:
    return {
        "id": field_id(name),
        "label": LABELS[name],
        "description": HELP[name],
        "inputWrapperOrder": ORDER,
        "data-testid": f"field-{name}",
    }
