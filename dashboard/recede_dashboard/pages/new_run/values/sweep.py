"""A sweep: several strengths × several seeds, as the form has them. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from recede.client import InvalidInput, ParamSpec
from recede_dashboard.pages.new_run.values.typed_number import read_number
from recede_dashboard.words.numbers import plural

SEED_AXIS = "axes.seed"
LEAST, MOST = 2, 64
"""Runs of one group."""

MAX_SEED = 2**31 - 1
SEEDS = ["0", "1", "2"]

Axes = dict[str, list[Any]]


def swept(params: Sequence[ParamSpec]) -> ParamSpec | None:
    """The parameter that a sweep varies: the strength that belongs to the number of steps."""
    return next((spec for spec in params if spec.per_steps is not None), None)


def axis_field(spec: ParamSpec) -> str:
    """Path of the field with the values of a swept parameter of a method."""
    return f"axes.method_params.{spec.name}"


def read(
    params: Sequence[ParamSpec], values: Mapping[str, Any], errors: dict[str, str]
) -> Axes | None:
    """Values by the dotted names of the API; None, with words in `errors`, if some are wrong."""
    axes: Axes = {}
    spec = swept(params)
    before = len(errors)
    if spec is not None:
        field = axis_field(spec)
        axes[field.removeprefix("axes.")] = _strengths(spec, values.get(field), field, errors)
    axes["seed"] = _seeds(values.get(SEED_AXIS), errors)
    if len(errors) > before:
        return None
    n = n_runs(axes)
    if not LEAST <= n <= MOST:
        words = f"This makes {plural(n, 'run')}; a sweep has {LEAST} to {MOST}."
        errors[SEED_AXIS] = f"{words} Add values, or turn the sweep off." if n < LEAST else words
        return None
    return axes


def n_runs(axes: Axes) -> int:
    """How many runs these values make."""
    return math.prod(len(values) for values in axes.values())


def _strengths(spec: ParamSpec, given: Any, field: str, errors: dict[str, str]) -> list[float]:
    out = []
    for text in given or []:
        try:
            number = read_number(text, whole=False)
            out.append(float(spec.check(text if number is None else number, field)))
        except InvalidInput as error:
            errors.setdefault(field, error.message)
    return _distinct(out, spec.label, field, errors)


def _seeds(given: Any, errors: dict[str, str]) -> list[int]:
    out = []
    for text in given or []:
        number = read_number(text, whole=True)
        if not isinstance(number, int) or not 0 <= number <= MAX_SEED:
            words = f"Seed was {text!r}; it must be a whole number from 0 to {MAX_SEED}."
            errors.setdefault(SEED_AXIS, words)
        else:
            out.append(number)
    return _distinct(out, "Seeds", SEED_AXIS, errors)


def _distinct(values: list[Any], label: str, field: str, errors: dict[str, str]) -> list[Any]:
    if not values:
        errors.setdefault(field, f"{label}: enter at least one value and press Enter.")
    if len(set(values)) < len(values):
        errors.setdefault(field, f"{label}: a value appears twice; remove one.")
    return values
