"""The proof that a file computes what was previewed, and what others need to repeat it.

A few real validation images and the masked network's outputs for them are written beside the
weights: with these the proof can be repeated without the data.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from recede.contract.errors import RecedeError
from recede_worker.core.cutting.surgery import max_difference

TOLERANCE = 1e-5
"""Of the largest output, if that is above 1: in float32 the order of sums differs by kernel."""
DEEP = 50
DEEP_TOLERANCE = 1e-4
"""The same for 50 layers and more, in which rounding adds up (measured: up to 5e-5, untrained)."""
ONNX_ROUNDING = 10
"""So many times as much: onnxruntime has other kernels and merges norms into convolutions."""
EXACT_TOLERANCE = 1e-9
"""The same in float64, where a wrong cut cannot hide behind rounding."""
EXACT_WORK = 4 * 10**9
"""Multiply-adds that the comparison in float64 may take: it runs at a tenth of the speed."""
KEPT_IMAGES = 32
KEPT_BYTES = 5_000_000
"""At most so many images, and bytes of them, lie beside the weights."""


class ProofFailed(RecedeError):
    """A written file does not compute what was previewed; nothing is offered for download."""

    code = "proof_failed"


@dataclass(frozen=True)
class Proof:
    """Largest absolute differences of outputs on real validation images."""

    images: int
    cut_vs_masked: float
    images_float64: int
    cut_vs_masked_float64: float
    file_vs_memory: float
    pt2_vs_memory: float | None
    onnx_vs_memory: float | None
    onnx_same_top1: int | None
    """Of `images`."""
    largest_output: float
    """Of the masked network, absolute: what the differences are to be seen beside."""


@dataclass(frozen=True)
class Expected:
    """Normalised images and the scores of the masked dense network for them, in float64."""

    x_NCHW: Tensor
    scores_NK: Tensor

    def save(self, path: Path) -> None:
        """Write them."""
        tensors = {"images": self.x_NCHW.contiguous(), "scores": self.scores_NK.contiguous()}
        save_file(tensors, path)

    @classmethod
    def read(cls, path: Path) -> Expected:
        """What `save` wrote.

        Raises:
            SafetensorError, KeyError: it is something else.
        """
        tensors = load_file(path)
        return cls(tensors["images"], tensors["scores"])


def exact_difference(
    cut: nn.Module, masked: nn.Module, x_NCHW: Tensor, macs: int
) -> tuple[int, float, Expected]:
    """Images compared in float64, the largest difference, and what is kept of it.

    `macs` are those of the masked network.

    Raises:
        ProofFailed: they are not the same function.
    """
    n = max(2, min(len(x_NCHW), EXACT_WORK // max(1, macs)))
    images = x_NCHW[:n]
    wide_cut, wide_masked = (copy.deepcopy(model).double() for model in (cut, masked))
    with torch.inference_mode():
        wanted_NK = wide_masked(images.double())
        found_NK = wide_cut(images.double())
    difference = float((found_NK - wanted_NK).abs().max())
    limit = EXACT_TOLERANCE * max(1.0, float(wanted_NK.abs().max()))
    require_equal("In float64, cut and masked network", difference, limit)
    kept = max(1, min(KEPT_IMAGES, KEPT_BYTES // (images[0].numel() * 4), len(images)))
    return len(images), difference, Expected(images[:kept].clone(), wanted_NK[:kept].clone())


def same_top_1(a_NK: Tensor, b_NK: Tensor, difference: float) -> int:
    """How many images get the same class from both.

    Raises:
        ProofFailed: one does not, and not because its two best scores are as good as equal.
    """
    differs_N = a_NK.argmax(1) != b_NK.argmax(1)
    best_N2 = b_NK.topk(min(2, b_NK.shape[1]), dim=1).values
    tied_N = best_N2[:, 0] - best_N2[:, -1] <= 2 * difference
    wrong = int((differs_N & ~tied_N).sum())
    if wrong:
        raise ProofFailed(
            f"The ONNX file gives {wrong} of {len(a_NK)} validation images another class.",
            hint="No file was kept. Please report this with the run's log.",
        )
    return int((~differs_N).sum())


def scores(model: nn.Module, x_NCHW: Tensor) -> Tensor:
    """The network's outputs for images."""
    with torch.inference_mode():
        outputs: Tensor = model(x_NCHW)
    return outputs.clone()


def largest_output(model: nn.Module, x_NCHW: Tensor) -> float:
    """Largest absolute score for these images."""
    return float(scores(model, x_NCHW).abs().max())


def rounding(model: nn.Module, largest: float) -> float:
    """The largest difference of outputs up to `largest` that float32's rounding explains."""
    layers = sum(isinstance(layer, nn.Conv2d | nn.Linear) for layer in model.modules())
    return (DEEP_TOLERANCE if layers >= DEEP else TOLERANCE) * max(1.0, largest)


def require_same(what: str, a: nn.Module, b: nn.Module, x_NCHW: Tensor, limit: float) -> float:
    """The largest difference of two networks; raises ProofFailed if it is above the limit."""
    difference = max_difference(a, b, x_NCHW)
    require_equal(what, difference, limit)
    return difference


def require_equal(what: str, difference: float, limit: float) -> None:
    """Raises ProofFailed unless the difference is at most `limit`."""
    if not difference <= limit:
        raise ProofFailed(
            f"{what} differ by {difference:.3g} on validation images; at most {limit:.3g} "
            "is rounding.",
            hint="No file was kept. Please report this with the run's log.",
        )
