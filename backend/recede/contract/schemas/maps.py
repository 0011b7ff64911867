"""Accuracy over ratio and epoch, and a fine-tuned network beside what it comes from."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from recede.contract.schemas.base import AccuracyOut, CostOut
from recede.contract.schemas.pruning import CurvePoint


class MapOut(BaseModel):
    """The prunability map: each epoch that was measured while training, at each ratio.

    Where a cut was measured better since, by a curve or an evaluation, that is given.
    """

    ratios: list[float]
    """Asked for, in order; the columns of the map."""
    epochs: list[int]
    """Of which there are points, in order."""
    points: list[CurvePoint]
    """By epoch and ratio."""
    kept_epochs: list[int]
    """Epochs whose weights are kept: any of them can be cut, or have its whole curve measured."""
    dense: dict[int, AccuracyOut]
    """The uncut network of every epoch of the run."""


class Compared(BaseModel):
    """One network of a fine-tuning; what is null is not known, or not yet."""

    network: Literal["dense", "cut", "tuned"]
    epoch: int | None
    """Of the parent for "dense", of this run for "tuned"; "cut" is epoch 0."""
    validation: AccuracyOut | None
    test: AccuracyOut | None
    cost: CostOut | None


class ComparisonOut(BaseModel):
    """A fine-tuning before and after, beside the dense network that was cut."""

    parent: str
    parent_name: str | None
    """Null where the parent was deleted before this run had finished an epoch."""
    ratio: float | None
    """Share of the parent's neurons that the cut removed."""
    networks: list[Compared]
    """Dense, cut and tuned, in this order."""
