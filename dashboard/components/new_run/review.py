"""What was typed into the form of a new run: the spec, errors at their fields, advice. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from backend.client import Catalog, InvalidInput, ParamSpec, RunSpec
from dashboard.format import count

Key = tuple[str, str]
"""Dotted path in the spec and the plug-in that declares it ("" for the run's own fields)."""

GROUPS = {
    "dataset": "dataset_params",
    "architecture": "architecture_params",
    "method": "method_params",
}
WHOLE = {"epochs", "batch_size", "seed"}
DECIMAL = {"lr", "val_fraction"}
LABELS = {
    "name": "Name",
    "dataset": "Data set",
    "architecture": "Network",
    "method": "Method",
    "epochs": "Epochs",
    "batch_size": "Batch size",
    "lr": "Learning rate",
    "seed": "Seed",
    "device": "Device",
    "val_fraction": "Validation share",
}
CLOSE = 0.1
"""Share by which λ × steps may miss what is wanted: recommended values have two figures."""
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


@dataclass
class Review:
    """A form as it stands; `spec` is None while something is wrong."""

    spec: RunSpec | None = None
    errors: dict[str, str] = field(default_factory=dict)
    """Words by dotted path; only paths of fields that are shown."""
    steps: int | None = None
    """Optimiser steps of the whole run."""
    advice: dict[str, float] = field(default_factory=dict)
    """Recommended values by dotted path."""


def review(catalog: Catalog, values: Mapping[Key, Any]) -> Review:
    """Read and check a form; the server checks again when it is submitted."""
    out = Review()
    body = _own_fields(values, out.errors)
    for kind, group in GROUPS.items():
        owner = str(values.get((kind, "")) or "")
        body[group] = _group(catalog, kind, owner, values, out.errors)
    out.steps = n_steps(catalog, body)
    if out.steps is not None:
        out.advice = _advice(catalog, values, out.steps)
    _check(catalog, body, out)
    return out


def n_steps(catalog: Catalog, body: Mapping[str, Any]) -> int | None:
    """Optimiser steps of the whole training; None unless all that decides them are numbers."""
    try:
        numbers = int(body["epochs"]), int(body["batch_size"]), float(body["val_fraction"])
        steps = catalog.dataset(str(body.get("dataset"))).steps(*numbers)
    except (InvalidInput, KeyError, ValueError, OverflowError, ZeroDivisionError):
        return None
    return steps if steps > 0 and numbers[1] > 0 else None


def steps_text(catalog: Catalog, dataset: str, steps: int, epochs: int) -> str:
    """How long the training is, for example "4 epochs of 844 steps: 3,376 optimiser steps"."""
    share = f"{count(epochs)} epochs of {count(steps // epochs)} steps"
    label = catalog.dataset(dataset).label
    return f"{share} on {label}: {count(steps)} optimiser steps."


def advice_text(spec: ParamSpec, steps: int) -> str:
    """Why a value is recommended, or why not more where that would be too much."""
    value, wanted = float(spec.recommended(steps)), spec.per_steps or 0.0
    reached = value * steps
    if abs(reached - wanted) <= CLOSE * wanted:
        product = f"{spec.label} × {count(steps)} steps"
        return f"Recommended: {value:g}, because {product} is then about {wanted:g}."
    return (
        f"Recommended: {value:g}. {spec.label} × {count(steps)} steps is then {reached:.2g}; "
        f"{wanted:g} would be better, but a larger value costs accuracy: train longer."
    )


def read_number(text: Any, *, whole: bool) -> int | float | None:
    """What a person typed as a number; None if it is not one. A decimal comma is understood."""
    if isinstance(text, bool) or text is None:
        return None
    if isinstance(text, int | float):
        return text
    typed = str(text).strip()
    if typed.count(",") == 1 and "." not in typed:
        typed = typed.replace(",", ".")
    try:
        value = float(typed)
    except ValueError:
        return None
    return int(value) if whole and math.isfinite(value) and value == int(value) else value


def _own_fields(values: Mapping[Key, Any], errors: dict[str, str]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, label in LABELS.items():
        value = values.get((name, ""))
        if name in WHOLE | DECIMAL:
            read = read_number(value, whole=name in WHOLE)
            if read is None:
                given = "is empty" if value in (None, "") else f"was {value!r}"
                errors[name] = f"{label} {given}; it must be a number."
                continue
            value = read
        body[name] = value if value is not None else ""
    return body


def _group(
    catalog: Catalog, kind: str, owner: str, values: Mapping[Key, Any], errors: dict[str, str]
) -> dict[str, Any]:
    """Checked parameters of the chosen plug-in."""
    group, out = GROUPS[kind], {}
    for spec in _params(catalog, kind, owner):
        path = f"{group}.{spec.name}"
        try:
            out[spec.name] = spec.check(_typed(spec, values.get((path, owner))), path)
        except InvalidInput as error:
            errors[path] = in_words(error)
    return out


def _typed(spec: ParamSpec, value: Any) -> Any:
    if spec.kind == "bool":
        return value == "yes" if isinstance(value, str) else value
    if spec.kind == "choice":
        return value
    read = read_number(value, whole=spec.kind == "int")
    return value if read is None else read


def _params(catalog: Catalog, kind: str, owner: str) -> Sequence[ParamSpec]:
    entries = {"dataset": catalog.datasets, "architecture": catalog.architectures}.get(
        kind, catalog.methods
    )
    return next((entry.params for entry in entries if entry.name == owner), ())


def _advice(catalog: Catalog, values: Mapping[Key, Any], steps: int) -> dict[str, float]:
    out = {}
    for kind, group in GROUPS.items():
        for spec in _params(catalog, kind, str(values.get((kind, "")) or "")):
            if spec.per_steps is not None:
                out[f"{group}.{spec.name}"] = float(spec.recommended(steps))
    return out


def _check(catalog: Catalog, body: dict[str, Any], out: Review) -> None:
    """Every field's own bounds first, so that all that is wrong is marked at once."""
    try:
        spec = RunSpec(**body)
        if out.errors:
            return
        catalog.check(spec)
        out.spec = spec
    except ValidationError as problem:
        for error in problem.errors():
            path = ".".join(str(part) for part in error["loc"])
            out.errors.setdefault(path, _bound_words(path, error))
    except InvalidInput as problem:
        out.errors[problem.field or ""] = in_words(problem)


def _bound_words(path: str, error: Any) -> str:
    label = LABELS.get(path, path)
    for key, words in _BOUNDS.items():
        if key in error.get("ctx", {}):
            return f"{label} was {error['input']}; it must be {words} {error['ctx'][key]}."
    return f"{label} was {error['input']!r}: {error['msg']}."


def in_words(error: InvalidInput) -> str:
    """Message and hint in one line."""
    return " ".join(part for part in (error.message, error.hint) if part)
