"""What many answers share: pages, errors, accuracies, costs."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel

ItemT = TypeVar("ItemT")


class Page(BaseModel, Generic[ItemT]):
    """One page of a list; pass `next` as `cursor` for the following one."""

    items: list[ItemT]
    next: str | None = None


class ErrorBody(BaseModel):
    """What went wrong, in words: what was given, what is wanted, how to fix it."""

    code: str
    message: str
    field: str | None = None
    hint: str | None = None
    details: dict[str, Any] | None = None
    """For programs: of `weights_gone` the `kept_epochs` and the `nearest_epoch`."""


class ErrorOut(BaseModel):
    """The one shape of every error."""

    error: ErrorBody


class AccuracyOut(BaseModel):
    """An accuracy that says what it is: measured on n images, or estimated, with 95 % interval.

    `low` and `high` hold for new images like those of the split, `split_low` and `split_high`
    for what the whole split would give; where it was measured wholly both are the value.
    """

    kind: Literal["measured", "estimated"]
    value: float
    low: float
    high: float
    n: int
    split: Literal["validation", "test"] = "validation"
    n_split: int | None = None
    """Images of the split, of which n were evaluated."""
    split_low: float | None = None
    split_high: float | None = None


class CostOut(BaseModel):
    """Exact cost of one image; FLOPs are 2 × macs."""

    params: int
    macs: int


class Deleted(BaseModel):
    """What a deletion freed."""

    freed_bytes: int
