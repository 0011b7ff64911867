"""Writes a cut network, reads its files back in plain PyTorch and compares."""

from __future__ import annotations

import copy
import runpy
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from backend.contract.errors import RecedeError
from worker.core.surgery import max_difference
from worker.engine.weights import NAMES, save_weights

TOLERANCE = 1e-5
"""Of the largest output, if that is above 1: in float32 the order of sums differs by kernel."""
DEEP = 50
DEEP_TOLERANCE = 1e-4
"""The same for 50 layers and more, in which rounding adds up (measured: up to 5e-5, untrained)."""
EXACT_TOLERANCE = 1e-9
"""The same in float64, where a wrong cut cannot hide behind rounding."""
EXACT_WORK = 4 * 10**9
"""Multiply-adds that the comparison in float64 may take: it runs at a tenth of the speed."""


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
    largest_output: float
    """Of the masked network, absolute: what the differences are to be seen beside."""


def write_program(model: nn.Module, example_BCHW: Tensor, path: Path) -> None:
    """Write a torch.export program with a free batch size."""
    batch = torch.export.Dim("batch", min=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns about its own internals
        program = torch.export.export(model, (example_BCHW,), dynamic_shapes=({0: batch},))
        torch.export.save(program, path)


def write_model(model: nn.Module, source: str, folder: Path) -> nn.Module:
    """Write weights and source, then rebuild the network from these two files alone."""
    save_weights(model, folder / NAMES["safetensors"])
    (folder / NAMES["python"]).write_text(source)
    rebuilt: nn.Module = runpy.run_path(str(folder / NAMES["python"]))["build"]()
    rebuilt.load_state_dict(load_file(folder / NAMES["safetensors"]))
    return rebuilt.eval()


def program_difference(path: Path, model: nn.Module, x_BCHW: Tensor) -> float:
    """Largest difference between a written torch.export program and the network in memory."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.load(path).module()
    return max_difference(program, model, x_BCHW)


def exact_difference(
    cut: nn.Module, masked: nn.Module, x_NCHW: Tensor, macs: int
) -> tuple[int, float]:
    """Images compared in float64 and the largest difference, of a masked network of `macs`.

    Raises:
        ProofFailed: they are not the same function.
    """
    n = max(2, min(len(x_NCHW), EXACT_WORK // max(1, macs)))
    images = x_NCHW[:n].double()
    wide_cut, wide_masked = (copy.deepcopy(model).double() for model in (cut, masked))
    difference = max_difference(wide_cut, wide_masked, images)
    limit = EXACT_TOLERANCE * max(1.0, largest_output(wide_masked, images))
    require_equal("In float64, cut and masked network", difference, limit)
    return n, difference


def largest_output(model: nn.Module, x_NCHW: Tensor) -> float:
    """Largest absolute score for these images."""
    with torch.inference_mode():
        return float(model(x_NCHW).abs().max())


def rounding(model: nn.Module, x_NCHW: Tensor) -> float:
    """The largest difference of outputs that float32's rounding explains for such images."""
    largest = largest_output(model, x_NCHW)
    layers = sum(isinstance(layer, nn.Conv2d | nn.Linear) for layer in model.modules())
    return (DEEP_TOLERANCE if layers >= DEEP else TOLERANCE) * max(1.0, largest)


def require_equal(what: str, difference: float, limit: float) -> None:
    """Raises ProofFailed unless the difference is at most `limit`."""
    if not difference <= limit:
        raise ProofFailed(
            f"{what} differ by {difference:.3g} on validation images; at most {limit:.3g} "
            "is rounding.",
            hint="No file was kept. Please report this with the run's log.",
        )
