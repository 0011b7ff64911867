"""A cut network on a split, part by part in random order, compared with the dense network.

The dense network's accuracy on the whole split is known, so after each part the difference of
the two gives an estimate that is far better than the share of correct answers would be.

Tensor letters: N images of the split, B images of one part, K classes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from recede.contract.measuring.accuracy import Accuracy, measured
from recede.contract.measuring.sampling import Seen, estimated
from recede_worker.engine.inputs.file_split import EVAL_PIXELS, FileSplit
from recede_worker.engine.inputs.sample import Sample
from recede_worker.engine.inputs.splits import (
    Normalisation,
    PixelSplit,
    Split,
)

FIRST, LARGEST = 64, 512
"""Images of the first part, so that the first estimate comes soon, and of any part at most."""
FIRST_MACS = 6e9
"""Work of the first part, if that is fewer images: a tenth of a second on a slow machine."""
PART_S = 0.1
"""No part should take longer: between two parts the job can stop."""
SEED = 0
"""Of the order of the images: the same for every cut of a run, so that cuts compare well."""

Classes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass
class Dense:
    """What the dense network predicts for a split; if that is not known, the network itself."""

    correct: int | None
    """Correct predictions on the whole split."""
    predicted_N: Classes | None
    model: nn.Module | None = None
    """Needed if `predicted_N` is None, on the device."""


@dataclass
class Counted:
    """Images compared: correct predictions, and those that differ from the dense network's."""

    n: int = 0
    right: int = 0
    dense_right: int = 0
    lost: int = 0
    gained: int = 0

    def add(self, right_B: Flags, dense_B: Flags) -> None:
        """Count images: where the cut network is right, and where the dense one is."""
        self.n += len(right_B)
        self.right += int(right_B.sum())
        self.dense_right += int(dense_B.sum())
        self.lost += int((dense_B & ~right_B).sum())
        self.gained += int((right_B & ~dense_B).sum())

    def accuracy(self, size: int, dense_correct: int | None) -> Accuracy:
        """On all `size` images; the dense network classifies `dense_correct` of them correctly.

        Without that number there is no control: as if the dense network were always wrong.
        """
        if self.n >= size:
            return measured(self.right, size)
        if dense_correct is None:
            return estimated(Seen(size, 0, self.n, 0, 0, self.right))
        return estimated(
            Seen(size, dense_correct, self.n, self.dense_right, self.lost, self.gained)
        )


class Source:
    """Parts of a split in one shuffled order, on its device."""

    def __init__(self, split: Split) -> None:
        self._split, self._sample = split, Sample(split, SEED)

    @property
    def in_memory(self) -> bool:
        """Whether parts need no reading from disk."""
        return self.pixels is not None

    @property
    def pixels(self) -> PixelSplit | None:
        """The whole split as images in memory, in its own order, if they are there."""
        return _pixels(self._split)

    def index(self, start: int, stop: int) -> Tensor:
        """Places of these images of the order in the split, on the CPU."""
        return self._sample.index(stop)[start:]

    def part(self, start: int, stop: int, check: Callable[[], None]) -> PixelSplit:
        """Images and labels of that part of the order; what is read from disk is kept."""
        pixels = _pixels(self._split)
        if pixels is not None:
            return pixels.pick(self.index(start, stop).to(pixels.y_N.device))
        first = self._sample.first(stop, check)
        return PixelSplit(first.x_NCHW[start:], first.y_N[start:])


def _pixels(split: Split) -> PixelSplit | None:
    """The split as images in memory, if they are there."""
    if isinstance(split, PixelSplit):
        return split
    if isinstance(split, FileSplit) and split.kept.x_NCHW is not None:
        return PixelSplit(split.kept.x_NCHW, split.y_N.cpu())
    return None


@dataclass
class Comparison:
    """A cut and the dense network over the parts of one split, counted as they are evaluated."""

    model: nn.Module
    dense: Dense
    source: Source
    y_N: Tensor
    normalise: Normalisation
    check: Callable[[], None]
    macs: int = 0
    """Of one image."""
    counted: Counted = field(default_factory=Counted)
    loss: float = 0.0
    """Sum of the cross-entropies."""

    def __post_init__(self) -> None:
        self.dense_predicted_N = np.full(len(self.y_N), -1, np.int64)
        """Predictions of the dense network where it was evaluated here, else -1."""

    def run(self) -> Iterator[Accuracy]:
        """Evaluate one part after the other; after each, the accuracy as far as it is known.

        Raises:
            Cancelled, Interrupted: the job should stop.
        """
        start, size = 0, max(4, min(FIRST, int(FIRST_MACS // max(1, self.macs))))
        while start < len(self.y_N):
            self.check()
            began = time.perf_counter()
            part = self.source.part(start, start + size, self.check)
            self._evaluate(part, self.source.index(start, start + size).numpy())
            start += len(part)
            yield self.counted.accuracy(len(self.y_N), self.dense.correct)
            taken_s = time.perf_counter() - began
            if taken_s < PART_S / 4:
                _, height, width = part.shape
                size = max(1, min(LARGEST, 4 * size, EVAL_PIXELS // (height * width)))
            elif taken_s > 2 * PART_S:
                size = max(4, size // 2)

    def _evaluate(self, part: PixelSplit, index_B: Classes) -> None:
        y_B = part.y_N.to(self.y_N.device)
        x_BCHW = self.normalise.apply(part.x_NCHW.to(self.y_N.device))
        with torch.inference_mode():
            logits_BK = self.model(x_BCHW)
            self.loss += float(functional.cross_entropy(logits_BK, y_B, reduction="sum"))
            right_B = (logits_BK.argmax(1) == y_B).cpu().numpy()
        self.counted.add(right_B, self._dense_predicted(x_BCHW, index_B) == y_B.cpu().numpy())

    def _dense_predicted(self, x_BCHW: Tensor, index_B: Classes) -> Classes:
        if self.dense.predicted_N is not None:
            return self.dense.predicted_N[index_B]
        assert self.dense.model is not None
        with torch.inference_mode():
            predicted_B: Classes = self.dense.model(x_BCHW).argmax(1).cpu().numpy()
        self.dense_predicted_N[index_B] = predicted_B
        return predicted_B
