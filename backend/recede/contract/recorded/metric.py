"""The metric of a training that runs elsewhere: any number, and which way it is better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from recede.contract.measuring.accuracy import Accuracy, measured, uncounted
from recede.contract.spec.run import Text

MAX_METRICS = 64
MAX_NAME = 60
Name = Annotated[Text, Field(min_length=1, max_length=MAX_NAME)]
Value = Annotated[float, Field(allow_inf_nan=False)]
Metrics = Annotated[dict[Name, Value], Field(max_length=MAX_METRICS)]


class Metric(BaseModel):
    """What chooses the best epoch: the name that it is logged by, and how to read it.

    `n`, for a share of images that are right, is the number of those images: an interval is
    known then. Any other metric has none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    higher_is_better: bool = True
    unit: Text = Field("", max_length=20, description='Written behind the value, for example "dB"')
    n: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None

    def correct(self, value: float) -> int | None:
        """How many of the n images are right; None where the value is no share of them."""
        return round(value * self.n) if self.n is not None and 0 <= value <= 1 else None

    def accuracy(self, value: float) -> Accuracy:
        """A measured value with its interval; without images (n = 0) the interval is a point."""
        correct = self.correct(value)
        if correct is not None and self.n is not None:
            return measured(correct, self.n)
        return uncounted(value)

    def best(self, values: Mapping[int, float]) -> int | None:
        """The epoch of the best value, of equals the first; None of no values."""
        sign = -1 if self.higher_is_better else 1
        return min(values, key=lambda epoch: (sign * values[epoch], epoch), default=None)
