"""What many answers share: pages, errors, accuracies, costs."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel

ItemT = TypeVar("ItemT")


class Page(BaseModel, Generic[ItemT]):
    """One page of a list; pass `next` as `cursor` for the following one."""

    items: list[ItemT]
    next: str | None = None


class ErrorBody(BaseModel):
    """What went wrong, in words: what was given, what is wanted, how to mend it."""

    code: str
    message: str
    field: str | None = None
    hint: str | None = None


class ErrorOut(BaseModel):
    """The one shape of every error."""

    error: ErrorBody


class AccuracyOut(BaseModel):
    """An accuracy that says what it is: measured on n images, or estimated, with 95 % interval."""

    kind: Literal["measured", "estimated"]
    value: float
    low: float
    high: float
    n: int
    split: Literal["validation", "test"] = "validation"


class CostOut(BaseModel):
    """Exact cost of one image; FLOPs are 2 × macs."""

    params: int
    macs: int


class Deleted(BaseModel):
    """What a deletion freed."""

    freed_bytes: int
