"""A random part of a split, in memory, that only grows: the first images of one shuffled order.

Tensor letters: N images of the split, S images of the part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from recede_worker.engine.inputs.file_split import EVAL_PIXELS, FileSplit
from recede_worker.engine.inputs.splits import (
    EVAL_BATCH,
    Normalisation,
    PixelSplit,
    Split,
)

CHUNK = 32
"""Images that are decoded between two checks whether the job should stop."""


class Sample:
    """Images of a split in an order of their own; equal seeds give equal orders."""

    def __init__(self, split: Split, seed: int) -> None:
        self._split = split
        generator = torch.Generator().manual_seed(seed)
        self._order_N = torch.randperm(len(split), generator=generator)
        self._read: list[Tensor] = []

    def index(self, n: int) -> Tensor:
        """Places in the split of the first n images of the sample, on the CPU."""
        return self._order_N[:n]

    def first(self, n: int, check: Callable[[], None]) -> PixelSplit:
        """The first n images on the split's device; what was decoded once is kept."""
        if isinstance(self._split, PixelSplit):
            return self._split.pick(self.index(n).to(self._split.y_N.device))
        have = sum(len(part) for part in self._read)
        for place_B in torch.split(self._order_N[have:n], CHUNK):
            check()
            self._read.append(decoded(self._split, place_B))
        device = self._split.y_N.device
        x_SCHW = torch.cat(self._read)[:n].to(device)
        return PixelSplit(x_SCHW, self._split.y_N[self.index(n).to(device)])


def batches(sample: PixelSplit, normalise: Normalisation) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of evaluation; of large images smaller ones, as from files."""
    _, height, width = sample.shape
    size = max(1, min(EVAL_BATCH, EVAL_PIXELS // (height * width)))
    return sample.evaluation_batches(normalise, size)


def decoded(split: Split, place_B: Tensor) -> Tensor:
    """Images at those places as evaluation sees them, uint8 NCHW on the CPU."""
    if isinstance(split, FileSplit) and split.kept.x_NCHW is not None:
        return split.kept.x_NCHW[place_B]
    return split.pick(place_B).head(len(place_B))
