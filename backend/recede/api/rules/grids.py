"""From the body of a group to specs that can be queued: every run checked before any is."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import ValidationError

from recede.contract.errors import RecedeError
from recede.contract.spec.grid import (
    Axes,
    Cell,
    cells,
    label,
    run_name,
)
from recede.contract.spec.run import RunSpec
from recede.contract.validation import in_words

Check = Callable[[RunSpec], RunSpec]
"""Fills a spec in, or refuses it at a field."""


def expand(base: RunSpec, axes: Axes, check: Check) -> list[RunSpec]:
    """The runs of a grid, checked and named, in the order of the axes.

    Raises:
        RecedeError: what cells() or `check` refuses; `field` is `axes.NAME` where a value of
            an axis is wrong, else `spec.FIELD`.
    """
    return [_checked(cell, check) for cell in cells(base, axes)]


def _checked(cell: Cell, check: Check) -> RunSpec:
    try:
        spec = RunSpec.model_validate(cell.spec)
    except ValidationError as error:
        raise _at_axis(in_words(error.errors(), RunSpec), cell) from error
    try:
        named = spec.model_copy(update={"name": run_name(spec, cell.values)})
        return check(named)
    except RecedeError as error:
        raise _at_axis(error, cell) from None


def _at_axis(error: RecedeError, cell: Cell) -> RecedeError:
    """The same refusal, at its place in the body and with the run that it is about."""
    if error.field in cell.values:
        error.field = f"axes.{error.field}"
        return error
    error.message = f"With {label(cell.values)}: {error.message}"
    error.field = f"spec.{error.field}" if error.field else "spec"
    return error
