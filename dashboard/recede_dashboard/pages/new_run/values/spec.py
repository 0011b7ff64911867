"""What was typed into the form of a new run: the spec, errors at their fields, advice. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from recede.client import (
    Catalog,
    DatasetInfo,
    InvalidInput,
    ParamSpec,
    RunSpec,
)
from recede_dashboard.pages.new_run.values import start, sweep
from recede_dashboard.pages.new_run.values.advice import chosen_dataset, n_steps
from recede_dashboard.pages.new_run.values.typed_number import read_number
from recede_dashboard.words.specs import GROUPS, LABELS, params_of

Key = tuple[str, str]
"""Dotted path in the spec and the plug-in that declares it ("" for the run's own fields)."""

WHOLE = {"epochs", "batch_size", "seed", "warmup_epochs", "processes", "keep_weights_mb"}
DECIMAL = {"lr", "val_fraction", "label_smoothing", "map_budget"}
YES_NO = {"compile"}
SWEEP: Key = ("sweep", "")
"""Whether the form starts several runs, true or false."""

_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


@dataclass
class Review:
    """A form as it stands; `spec` is None while something is wrong."""

    spec: RunSpec | None = None
    axes: sweep.Axes | None = None
    """What differs between the runs of a sweep; None for a single run."""
    errors: dict[str, str] = field(default_factory=dict)
    """Words by dotted path; only paths of fields that are shown."""
    dataset: DatasetInfo | None = None
    """The data set with the facts of the chosen folder."""
    steps: int | None = None
    """Optimiser steps of the whole run."""
    advice: dict[str, float] = field(default_factory=dict)
    """Recommended values by dotted path."""
    gated: bool = False
    """Whether they are for given weights behind gates."""


def review(
    catalog: Catalog, values: Mapping[Key, Any], parents: Mapping[str, str] | None = None
) -> Review:
    """Read and check a form; the server checks again when it is submitted.

    `parents` says which batch norm other runs have, by their ids: plain, bounded or gate.
    """
    out = Review()
    body = _own_fields(values, out.errors)
    for kind, group in GROUPS.items():
        owner = str(values.get((kind, "")) or "")
        body[group] = _group(catalog, kind, owner, values, out.errors)
    init = start.read(plain(values), out.errors)
    if init is not None:
        body["init"] = init
    else:  # what is hidden chooses nothing
        body["scale"] = RunSpec.model_fields["scale"].default
    body |= start.read_normalize(plain(values), out.errors)
    distill = start.read_distill(plain(values), out.errors)
    if distill is not None:
        body["distill"] = distill
    out.dataset = chosen_dataset(catalog, body)
    out.steps = n_steps(catalog, body)
    if out.steps is not None:
        out.gated = _is_gated(catalog, body, parents or {})
        out.advice = _advice(catalog, values, out.steps, gated=out.gated)
    if values.get(SWEEP):
        method = str(values.get(("method", "")) or "")
        own = plain(values) | {p: v for (p, owner), v in values.items() if owner == method}
        out.axes = sweep.read(params_of(catalog, "method", method), own, out.errors)
    _check(catalog, body, out)
    return out


def plain(values: Mapping[Key, Any]) -> dict[str, Any]:
    """The fields that belong to no plug-in, by their paths."""
    return {path: value for (path, owner), value in values.items() if not owner}


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
        elif name in YES_NO:
            value = value in (True, "yes")
        body[name] = value if value is not None else ""
    return body


def _group(
    catalog: Catalog, kind: str, owner: str, values: Mapping[Key, Any], errors: dict[str, str]
) -> dict[str, Any]:
    """Checked parameters of the chosen plug-in."""
    group, out = GROUPS[kind], {}
    for spec in params_of(catalog, kind, owner):
        path = f"{group}.{spec.name}"
        try:
            out[spec.name] = spec.check(_typed(spec, values.get((path, owner))), path)
        except InvalidInput as error:
            errors[path] = in_words(error)
    return out


def _typed(spec: ParamSpec, value: Any) -> Any:
    if spec.kind == "bool":
        return value == "yes" if isinstance(value, str) else value
    if spec.kind == "text":
        return "" if value is None else str(value).strip()
    if spec.kind == "choice":
        return value
    read = read_number(value, whole=spec.kind == "int")
    return value if read is None else read


def _is_gated(catalog: Catalog, body: Mapping[str, Any], parents: Mapping[str, str]) -> bool:
    """Whether there will be gates if a penalty moves them."""
    known = {method.name: method for method in catalog.methods}
    method = known.get(str(body.get("method")))
    if method is None or method.scale == "plain":
        return False
    init = body.get("init") or {}
    theirs = parents.get(str(init["run"])) if "run" in init else "plain"
    can_be = bool(init) and theirs in ("plain", "gate")
    return body.get("scale") == "gate" or (can_be and body.get("scale") == "auto")


def _advice(
    catalog: Catalog, values: Mapping[Key, Any], steps: int, *, gated: bool
) -> dict[str, float]:
    out = {}
    for kind, group in GROUPS.items():
        for spec in params_of(catalog, kind, str(values.get((kind, "")) or "")):
            if spec.per_steps is not None:
                out[f"{group}.{spec.name}"] = float(spec.recommended(steps, gated=gated))
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
            out.errors.setdefault(shown_at(path), _bound_words(path, error))
    except InvalidInput as problem:
        out.errors[shown_at(problem.field or "")] = in_words(problem)


def shown_at(path: str) -> str:
    """The field of the form that shows an error of the spec's field."""
    own = path.removeprefix("spec.")  # where a group has the spec of its runs
    return start.field_of(own) if own.startswith("init") else own


def _bound_words(path: str, error: Any) -> str:
    label = (LABELS | start.LABELS).get(path, path)
    for key, words in _BOUNDS.items():
        if key in error.get("ctx", {}):
            return f"{label} was {error['input']}; it must be {words} {error['ctx'][key]}."
    return f"{label} was {error['input']!r}: {error['msg']}."


def in_words(error: InvalidInput) -> str:
    """Message and hint in one line."""
    return " ".join(part for part in (error.message, error.hint) if part)
