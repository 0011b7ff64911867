"""Writes a cut network, reads its files back in plain PyTorch and compares."""

from __future__ import annotations

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

TOLERANCE = 1e-5  # float32: the order of sums may differ between kernels


class ProofFailed(RecedeError):
    """A written file does not compute what was previewed; nothing is offered for download."""

    code = "proof_failed"


@dataclass(frozen=True)
class Proof:
    """Largest absolute differences of outputs on real validation images."""

    images: int
    cut_vs_masked: float
    file_vs_memory: float
    pt2_vs_memory: float | None


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


def require_equal(what: str, difference: float) -> None:
    """Raises ProofFailed unless the difference is within float32's rounding."""
    if not difference <= TOLERANCE:
        raise ProofFailed(
            f"{what} differ by {difference:.3g} on validation images; at most {TOLERANCE:g} "
            "is rounding.",
            hint="No file was kept. Please report this with the run's log.",
        )
