"""One input for each declared parameter, drawn by its kind, with help, bounds and default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from recede.client import ParamSpec
from recede_dashboard.words.numbers import number

ORDER = ["label", "input", "error", "description"]
SEARCH_FROM = 9
"""Choices from which a list can be searched."""
SHOWN = 80
"""Choices drawn at once; typing finds the rest."""


def field_id(path: str, owner: str = "") -> dict[str, str]:
    """Id of an input: the dotted path in the spec, and the plug-in that declares it."""
    return {"type": "run-field", "path": path, "owner": owner}


def note_id(path: str, owner: str) -> dict[str, str]:
    """Id of the line under a field that recommends a value or describes what was chosen."""
    return {"type": "run-note", "path": path, "owner": owner}


def param_field(
    spec: ParamSpec, group: str, owner: str, value: Any, *, suggestions: Sequence[str] = ()
) -> Component:
    """The input of one parameter of a plug-in, with a line for advice where there is any."""
    path = f"{group}.{spec.name}"
    common = {
        "id": field_id(path, owner),
        "label": spec.label,
        "description": help_text(spec),
        "inputWrapperOrder": ORDER,
        "data-testid": f"field-{path}-{owner}",
    }
    field = _input(spec, value, common, suggestions)
    if spec.per_steps is None and not suggestions:
        return field
    note = html.Div(id=note_id(path, owner), className="advice")
    return html.Div([field, note], className="field-with-advice")


def _input(
    spec: ParamSpec, value: Any, common: dict[str, Any], suggestions: Sequence[str]
) -> Component:
    field: Component
    if spec.kind == "choice":
        field = choice(list(spec.choices), value, **common)
    elif spec.kind == "bool":
        field = yes_no(value, **common)
    elif spec.kind == "text":
        field = dmc.Autocomplete(data=list(suggestions), value=str(value), limit=SHOWN, **common)
    elif spec.kind == "int":
        field = whole_number(value=value, **common)
    else:
        field = number_text(value=number(float(value)), **common)
    return field


def choice(names: Sequence[Any], value: Any, **props: Any) -> Component:
    """A list of names, searched by typing once it is long."""
    long = len(names) >= SEARCH_FROM
    search = {
        "searchable": True,
        "openOnFocus": False,
        "limit": SHOWN,
        "nothingFoundMessage": "No match",
    }
    field: Component = dmc.Select(
        data=list(names), value=value, allowDeselect=False, **(search if long else {}), **props
    )
    return field


def yes_no(value: Any, **props: Any) -> Component:
    """A list of yes and no."""
    shown = "yes" if value in (True, "yes") else "no"
    return choice(["yes", "no"], shown, **props)


def whole_number(**props: Any) -> Component:
    """An input for a whole number; a value out of bounds is reported, not changed."""
    field: Component = dmc.NumberInput(allowDecimal=False, clampBehavior="none", **props)
    return field


def number_text(**props: Any) -> Component:
    """A text input for a decimal number: it takes 0.001 as well as 1e-3."""
    inner = {"inputMode": "decimal"}
    field: Component = dmc.TextInput(inputProps=inner, autoComplete="off", **props)
    return field


def help_text(spec: ParamSpec) -> str:
    """Help, bounds and default in one paragraph."""
    facts = []
    if spec.kind in ("int", "float") and (spec.minimum is not None or spec.maximum is not None):
        facts.append(spec.bounds_text().capitalize())
    if len(spec.choices) >= SEARCH_FROM:
        facts.append(f"{len(spec.choices)} choices, type to search")
    default = spec.default
    if isinstance(default, bool):
        default = "yes" if default else "no"
    if default != "":
        facts.append(f"default {number(default) if isinstance(default, float) else default}")
    if not facts:
        return spec.help
    text = "; ".join(facts)
    return f"{spec.help} {text[0].upper()}{text[1:]}."
