"""Measures cuts one after the other on as many images as each needs, cheapest way first.

Cuts look at the images in one random order; some neighbours begin at the same place of it, so
that what their layers have in common is computed once, and the next ones elsewhere, so that an
unlucky part of the split is not behind every point. Each cut is compared with a control whose
answers are known for the whole split: the dense network, or from where accuracy falls the last
cut that was measured wholly, which answers more alike.

Tensor letters: N images of the split in the sampler's order, B batch, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from backend.contract.accuracy import Accuracy, floor_of, measured, standard_error
from backend.contract.sampling import (
    FIRST_LOOK,
    SECOND_LOOK,
    TOLERANCE,
    Seen,
    estimated,
    first_look,
    is_near,
    second_look,
)
from worker.core.reuse import Reuse, out_of_place, share_tensors
from worker.engine.batches import Normalisation, Split
from worker.engine.evaluate import evaluate
from worker.engine.file_split import EVAL_PIXELS
from worker.engine.slices import Source

Flags = npt.NDArray[np.bool_]

BATCH_CPU, BATCH_GPU = 128, 512
"""On a processor the activations of a small batch stay in its cache."""
NEIGHBOURS = 10
"""Cuts that begin at the same place."""
KEPT_BYTES = 512 * 2**20
"""Activations of the first look that are kept for the next cut, of all batches together."""


@dataclass(frozen=True)
class Images:
    """The split that cuts are measured on."""

    split: Split
    source: Source
    normalise: Normalisation
    check: Callable[[], None]

    def order(self) -> npt.NDArray[np.int64]:
        """Places in the split, in the sampler's order."""
        index: npt.NDArray[np.int64] = self.source.index(0, len(self.split)).numpy()
        return index

    @property
    def batch(self) -> int:
        """Images that are run at once."""
        _, height, width = self.split.shape
        most = BATCH_CPU if self.split.y_N.device.type == "cpu" else BATCH_GPU
        return max(1, min(most, EVAL_PIXELS // (height * width)))

    def batches(self, start: int, stop: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Normalised images and labels of a part of the order, on the split's device.

        The order is a ring: after its end it begins anew.
        """
        device, size = self.split.y_N.device, len(self.split)
        while start < stop:
            self.check()
            first = start % size
            n = min(self.batch, stop - start, size - first)
            part = self.source.part(first, first + n, self.check)
            yield self.normalise.apply(part.x_NCHW.to(device)), part.y_N.to(device)
            start += n


@dataclass(frozen=True)
class Result:
    """Accuracy of one cut; with its loss where the whole split was looked at."""

    accuracy: Accuracy
    loss: float | None


class Sampler:
    """Measures cuts in the order of their ratios, so that neighbours share what they can."""

    def __init__(
        self, images: Images, dense_right: Flags, *, exact: bool, tolerance: float = TOLERANCE
    ) -> None:
        """`dense_right`: where the dense network is right, in the order of the split."""
        self._images, self._exact, self._tolerance = images, exact, tolerance
        self._order = images.order()
        self._size = len(images.split)
        self._control: Flags = dense_right
        """In the order of the split."""
        self._begin = 0
        """Place in the order of the images where cuts begin now."""
        correct = int(dense_right.sum())
        self._floor = floor_of(measured(correct, self._size))
        # The first look must be able to say "lossless", too.
        bound = min(tolerance, standard_error(correct, self._size))
        self.first = self._size if exact else first_look(self._size, bound)
        self.fallen = False
        """Whether a point with a real drop was found: from then on the floor does not matter."""
        self._kept: list[tuple[Tensor, Tensor, Reuse]] | None = None
        self._last: nn.Module | None = None
        self._cuts = 0
        self.images_run = 0
        """Images that cuts were run on, for the log."""

    def measure(self, cut: nn.Module, *, whole: bool = False) -> Result:
        """Accuracy of a cut on the images' device, from as few images as it needs.

        Raises:
            Cancelled, Interrupted: the job should stop.
        """
        cut = out_of_place(cut).to(memory_format=torch.channels_last)
        answers = _Answers(cut)
        self._move_on()
        if not (whole or self.first >= self._size):
            for n, alpha in self._looks(answers):
                accuracy = estimated(self._seen(answers.right, n), alpha)
                if self._is_enough(accuracy):
                    return Result(accuracy, None)
        self._look_at_all(answers)
        self._control = np.empty_like(self._control)
        self._control[self._places(self._size)] = answers.right
        accuracy = measured(int(self._control.sum()), self._size)
        self.fallen = self.fallen or accuracy.value < self._floor
        return Result(accuracy, answers.loss / self._size)

    def _looks(self, answers: _Answers) -> Iterator[tuple[int, float]]:
        self._look_first(answers)
        yield self.first, FIRST_LOOK
        n = second_look(self._seen(answers.right, self.first), self._tolerance)
        if n < self._size and self._images.source.in_memory:
            self._run(answers, n)
            yield n, SECOND_LOOK

    def _is_enough(self, accuracy: Accuracy) -> bool:
        """Near enough, and as long as the curve has not fallen clearly above the floor."""
        near = is_near(accuracy, self._tolerance)
        return near and (self.fallen or accuracy.split_low >= self._floor)

    def _seen(self, right: Flags, n: int) -> Seen:
        control = self._control[self._places(n)]
        return Seen(
            size=self._size,
            control_correct=int(self._control.sum()),
            n=n,
            control_seen=int(control.sum()),
            lost=int((control & ~right).sum()),
            gained=int((right & ~control).sum()),
        )

    def _places(self, n: int) -> npt.NDArray[np.int64]:
        """Places in the split of the first n images of the cuts of now."""
        ring: npt.NDArray[np.int64] = np.roll(self._order, -self._begin)
        return ring[:n]

    def _move_on(self) -> None:
        """Now and then begin elsewhere; of images in files not, for those were decoded."""
        if self._cuts and self._cuts % NEIGHBOURS == 0 and self._images.source.in_memory:
            self._begin = (self._begin + self.first) % self._size
            self._kept = self._last = None
        self._cuts += 1

    def _look_first(self, answers: _Answers) -> None:
        """The first images are kept, and of the cut before all that is the same."""
        if self._kept is None:
            batches = list(self._images.batches(self._begin, self._begin + self.first))
            budget = KEPT_BYTES // len(batches)
            self._kept = [(x_BCHW, y_B, Reuse(budget)) for x_BCHW, y_B in batches]
        if self._last is not None:
            share_tensors(answers.model, self._last)
        self._last = answers.model
        for x_BCHW, y_B, reuse in self._kept:
            self._images.check()
            answers.add(reuse(answers.model, x_BCHW), y_B)
        self.images_run += self.first

    def _run(self, answers: _Answers, stop: int) -> None:
        begin = self._begin
        for x_BCHW, y_B in self._images.batches(begin + answers.n, begin + stop):
            with torch.no_grad():
                answers.add(answers.model(x_BCHW), y_B)
            self.images_run += len(y_B)

    def _look_at_all(self, answers: _Answers) -> None:
        if self._images.source.in_memory:
            self._run(answers, self._size)
            return
        # Images that are decoded from files come fastest in their own order.
        images = self._images
        found = evaluate(answers.model, images.split, images.normalise, images.check)
        right_N = (found.predicted_N == images.split.y_N.cpu()).numpy()
        answers.replace(right_N[self._places(self._size)], found.loss * self._size)
        self.images_run += self._size


class _Answers:
    """What one cut said of the first n images."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.loss = 0.0
        """Sum of the cross-entropies."""
        self._right: list[Flags] = []

    @property
    def n(self) -> int:
        """Images so far."""
        return sum(map(len, self._right))

    @property
    def right(self) -> Flags:
        """Where it is right."""
        return np.concatenate(self._right)

    def add(self, logits_BK: Tensor, y_B: Tensor) -> None:
        """The next images."""
        self.loss += float(functional.cross_entropy(logits_BK, y_B, reduction="sum"))
        self._right.append((logits_BK.argmax(1) == y_B).cpu().numpy())

    def replace(self, right_N: Flags, loss: float) -> None:
        """All images at once."""
        self._right, self.loss = [right_N], loss
