"""Accuracies of the contract as answers, and back."""

from __future__ import annotations

from typing import Any

from recede.contract.measuring import accuracy
from recede.contract.schemas import AccuracyOut


def accuracy_out(value: accuracy.Accuracy, split: Any = "validation") -> AccuracyOut:
    """An accuracy of the contract as an answer."""
    return AccuracyOut(**vars(value), split=split)


def accuracy_in(answer: AccuracyOut) -> accuracy.Accuracy:
    """The same back again."""
    return accuracy.Accuracy(**answer.model_dump(exclude={"split"}))


def counted(correct: int, n: int, split: Any = "validation") -> AccuracyOut:
    """An accuracy that was measured on all n images of a split."""
    return accuracy_out(accuracy.measured(correct, n), split)


def counted_if_known(
    correct: int | None, n: int | None, split: Any = "validation"
) -> AccuracyOut | None:
    """The same of a split that may not have been measured, or may be empty."""
    return None if correct is None or not n else counted(correct, n, split)
