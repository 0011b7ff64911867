"""Predictions of cut networks, image by image: none is run twice on the same image.

Tensor letters: N images of the split, M some of them, B batch, K classes.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recede_worker.core.estimating.brackets import Flags, Places
from recede_worker.engine.evaluation.accuracy import evaluate
from recede_worker.engine.inputs.file_split import EVAL_PIXELS
from recede_worker.engine.inputs.parts import Source
from recede_worker.engine.inputs.sample import CHUNK, decoded
from recede_worker.engine.inputs.splits import Normalisation, Split

BATCH_CPU, BATCH_GPU = 256, 512
"""On a processor the activations of a small batch stay in its cache."""
KEPT_BYTES = 256 * 2**20
"""Of cut networks that may be needed again, and as much of images decoded from files."""


@dataclass(frozen=True)
class Images:
    """The split that cuts are evaluated on."""

    split: Split
    source: Source
    normalise: Normalisation
    check: Callable[[], None]
    _decoded: dict[int, Tensor] = field(default_factory=dict)

    @property
    def batch(self) -> int:
        """Images that are run at once."""
        _, height, width = self.split.shape
        most = BATCH_CPU if self.split.y_N.device.type == "cpu" else BATCH_GPU
        return max(1, min(most, EVAL_PIXELS // (height * width)))

    def pick(self, places_M: Places) -> tuple[Tensor, Tensor]:
        """Normalised images and their labels, on the split's device."""
        index_M = torch.from_numpy(places_M)
        y_M = self.split.y_N[index_M.to(self.split.y_N.device)]
        x_MCHW = self._pixels(places_M, index_M).to(y_M.device)
        return self.normalise.apply(x_MCHW), y_M

    def _pixels(self, places_M: Places, index_M: Tensor) -> Tensor:
        held = self.source.pixels
        if held is not None:
            return held.x_NCHW[index_M.to(held.x_NCHW.device)]
        wanted = places_M.tolist()
        missing = [place for place in wanted if place not in self._decoded]
        bytes_each = int(np.prod(self.split.shape))
        if len(self._decoded) * bytes_each > KEPT_BYTES:
            self._decoded.clear()
            missing = wanted
        for start in range(0, len(missing), CHUNK):
            self.check()
            chunk = missing[start : start + CHUNK]
            self._decoded.update(zip(chunk, decoded(self.split, torch.tensor(chunk)), strict=True))
        return torch.stack([self._decoded[place] for place in wanted])


@dataclass
class _OfCut:
    """What one cut predicted for the images that it was run on."""

    seen_N: Flags
    right_N: Flags
    loss: float = 0.0
    """Sum of the cross-entropies."""
    seconds: float = 0.0


class Predictions:
    """Those of cuts numbered from 0; `make` builds the network of one, on the device."""

    def __init__(self, images: Images, make: Callable[[int], nn.Module]) -> None:
        self._images, self._make = images, make
        self._of_cut: dict[int, _OfCut] = {}
        self._models: OrderedDict[int, nn.Module] = OrderedDict()
        self.images_run = 0
        """Images that cuts were run on, for the log."""

    @property
    def cuts(self) -> set[int]:
        """Cuts that were run."""
        return set(self._of_cut)

    def right(self, cut: int, places_M: Places) -> Flags:
        """Which of the images at those places of the split this cut classifies correctly."""
        of_cut, started = self._of(cut), time.perf_counter()
        missing = places_M[~of_cut.seen_N[places_M]]
        for start in range(0, len(missing), self._images.batch):
            self._images.check()
            self._run(cut, of_cut, missing[start : start + self._images.batch])
        of_cut.seconds += time.perf_counter() - started
        right_M: Flags = of_cut.right_N[places_M]
        return right_M

    def right_of_all(self, cut: int) -> Flags:
        """The same of the whole split."""
        images = self._images
        if images.source.in_memory:
            self.right(cut, np.arange(len(images.split)))
        else:  # images that are decoded from files come fastest in their own order
            model = self._model(cut)
            found = evaluate(model, images.split, images.normalise, images.check)
            right_N = (found.predicted_N == images.split.y_N.cpu()).numpy()
            everything = np.ones(len(right_N), np.bool_)
            self._of_cut[cut] = _OfCut(
                everything, right_N, found.loss * len(right_N), found.seconds
            )
            self.images_run += len(right_N)
        self._models.pop(cut, None)
        return self._of_cut[cut].right_N

    def loss(self, cut: int) -> float:
        """Mean cross-entropy of the images that this cut was run on."""
        of_cut = self._of(cut)
        return of_cut.loss / max(1, int(of_cut.seen_N.sum()))

    def seconds(self, cut: int) -> float:
        """Time that its predictions took so far."""
        return self._of(cut).seconds

    def _of(self, cut: int) -> _OfCut:
        if cut not in self._of_cut:
            size = len(self._images.split)
            self._of_cut[cut] = _OfCut(np.zeros(size, np.bool_), np.zeros(size, np.bool_))
        return self._of_cut[cut]

    @torch.inference_mode()
    def _run(self, cut: int, of_cut: _OfCut, places_B: Places) -> None:
        x_BCHW, y_B = self._images.pick(places_B)
        logits_BK = self._model(cut)(x_BCHW)
        of_cut.loss += float(functional.cross_entropy(logits_BK, y_B, reduction="sum"))
        of_cut.right_N[places_B] = (logits_BK.argmax(1) == y_B).cpu().numpy()
        of_cut.seen_N[places_B] = True
        self.images_run += len(places_B)

    def _model(self, cut: int) -> nn.Module:
        """The network, kept while it is among those used last."""
        if cut in self._models:
            self._models.move_to_end(cut)
            return self._models[cut]
        model = self._make(cut).eval().to(memory_format=torch.channels_last)
        self._models[cut] = model
        while len(self._models) > 1 and _bytes(list(self._models.values())) > KEPT_BYTES:
            self._models.popitem(last=False)
        return model


def _bytes(models: Sequence[nn.Module]) -> int:
    return sum(p.nbytes for model in models for p in model.parameters())
