"""A run grid: one base spec and the fields in which its runs differ, every combination one run."""

from __future__ import annotations

import copy
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recede.contract.errors import InvalidInput, UnknownName
from recede.contract.spec.run import RunSpec

Axes = Mapping[str, Sequence[Any]]
"""Dotted name of a spec's field → the values that it takes, in the order of the runs."""

MIN_RUNS, MAX_RUNS = 2, 64
SEED = "seed"
"""The one axis over which results are averaged."""

_MAX_NAME = 120
_PARAMS = ("dataset_params", "architecture_params", "method_params")
_NESTED = (
    *("init.file", "init.run", "init.plan.ratio", "init.plan.threshold", "init.plan.epoch"),
    *("distill.weight", "distill.temperature"),
)
_WHOLE = (*_PARAMS, "name", "init", "distill")
_FIELDS = tuple(f for f in RunSpec.model_fields if f not in _WHOLE) + _NESTED
_TITLE = ("dataset", "architecture", "method")
_WORDS = {"lam": "λ"}


@dataclass(frozen=True)
class Cell:
    """One combination of the axes, and the JSON of the spec that it makes (not checked yet)."""

    values: dict[str, Any]
    spec: dict[str, Any]


def cells(base: RunSpec, axes: Axes) -> list[Cell]:
    """Every combination, the last axis changing fastest.

    Raises:
        UnknownName: an axis that is no field of a spec.
        InvalidInput: no axes, an axis without values or with a value twice, values that are
            neither text, number nor true/false, or a number of runs outside 2 to 64.
    """
    for axis, values in axes.items():
        _check_axis(axis, values)
    total = math.prod(len(values) for values in axes.values())
    if not axes or not MIN_RUNS <= total <= MAX_RUNS:
        made = f"{total} run{'s' * (total != 1)}" if axes else "no runs"
        raise InvalidInput(
            f"The axes make {made}; a grid has {MIN_RUNS} to {MAX_RUNS}.",
            field="axes",
            hint="For example 2 values of one field with 3 seeds: 6 runs.",
        )
    combinations = _combinations(axes)
    return [Cell(values, _with(base, values)) for values in combinations]


def run_name(spec: RunSpec, values: Mapping[str, Any]) -> str:
    """The title of a grid's run with what is its own: "… · λ 0.03, seed 2"."""
    # A title that nobody gave already names these three.
    own = {a: v for a, v in values.items() if spec.name.strip() or a not in _TITLE}
    return _joined(spec.title(), label(own))


def group_name(base: RunSpec, axes: Axes) -> str:
    """What a grid is called unless a name is given: "… · λ × seed"."""
    return _joined(base.title(), " × ".join(_word(axis) for axis in axes))


def label(values: Mapping[str, Any]) -> str:
    """A combination in words: "λ 0.03, seed 2"."""
    return ", ".join(f"{_word(axis)} {_shown(value)}" for axis, value in values.items())


def combinations_without_seed(axes: Axes) -> list[dict[str, Any]]:
    """Every combination of the axes other than the seed; a single empty one if there is none."""
    return _combinations({axis: values for axis, values in axes.items() if axis != SEED})


def has_values(spec: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether the JSON of a spec has these values at the dotted names."""
    return all(_at(spec, axis) == value for axis, value in values.items())


def values_of(spec: Mapping[str, Any], axes: Axes) -> dict[str, Any]:
    """What the JSON of a spec has at the names of these axes."""
    return {axis: _at(spec, axis) for axis in axes}


def _combinations(axes: Axes) -> list[dict[str, Any]]:
    return [dict(zip(axes, chosen, strict=True)) for chosen in itertools.product(*axes.values())]


def _check_axis(axis: str, values: Sequence[Any]) -> None:
    field = f"axes.{axis}"
    kind, _, name = axis.partition(".")
    if axis not in _FIELDS and not (kind in _PARAMS and name):
        known = [*_FIELDS, *(f"{params}.NAME" for params in _PARAMS)]
        raise UnknownName("axis", axis, known, field=field)
    if not values:
        raise InvalidInput(
            f"{axis} has no values; give at least one.",
            field=field,
            hint="Two or more make sense; leave the axis out to use the value of the spec.",
        )
    seen = set()
    for value in values:
        if not isinstance(value, str | int | float | bool):
            raise InvalidInput(
                f"{axis} holds {_shown(value)}; its values must be text, numbers or true/false.",
                field=field,
            )
        key = json.dumps(_as_float(value))
        if key in seen:
            raise InvalidInput(
                f"{axis} holds {_shown(value)} twice; each value makes its own run.",
                field=field,
                hint="Remove one of them; to repeat a run, add seeds.",
            )
        seen.add(key)


def _as_float(value: str | float | bool) -> str | float | bool:
    """3 and 3.0 are the same value; an integer too large for a float stays what it is."""
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53
    return float(value) if whole else value


def _with(base: RunSpec, values: Mapping[str, Any]) -> dict[str, Any]:
    spec = base.model_dump(mode="json")
    for axis, value in values.items():
        # The rest of a parameter's name may itself hold dots.
        *path, last = axis.split(".", 1 if axis.startswith(_PARAMS) else -1)
        place = spec
        for part in path:
            place[part] = copy.copy(place.get(part) or {})
            place = place[part]
        place[last] = value
    return spec


def _at(spec: Mapping[str, Any], axis: str) -> Any:
    kind, _, name = axis.partition(".")
    if kind in _PARAMS:
        return spec[kind].get(name)
    place: Any = spec
    for part in axis.split("."):
        place = place.get(part) if isinstance(place, Mapping) else None
    return place


def _joined(title: str, rest: str) -> str:
    """Both in one name; a long title gives way."""
    if not rest:
        return title[:_MAX_NAME]
    room = _MAX_NAME - len(rest) - 3
    if room < 1:
        return rest[:_MAX_NAME]
    short = title if len(title) <= room else f"{title[: room - 1]}…"
    return f"{short} · {rest}"


def _word(axis: str) -> str:
    last = axis.rpartition(".")[2]
    return _WORDS.get(last, last.replace("_", " "))


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
