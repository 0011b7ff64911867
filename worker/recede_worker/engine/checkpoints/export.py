"""Writes a cut network in each format, reads every file back and compares."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from recede_worker.core.cutting.surgery import max_difference
from recede_worker.engine.checkpoints.onnx_file import (
    onnx_scores,
    quiet,
    write_onnx,
)
from recede_worker.engine.checkpoints.proof import (
    ONNX_ROUNDING,
    require_equal,
    same_top_1,
)
from recede_worker.engine.checkpoints.weights import NAMES, save_weights


@dataclass(frozen=True)
class Written:
    """The network read back from its file, and what the files' outputs differ by."""

    reloaded: nn.Module
    file_vs_memory: float
    pt2_vs_memory: float | None = None
    onnx_vs_memory: float | None = None
    onnx_same_top1: int | None = None
    """Of the proof's images: so many get the same class from the ONNX file."""
    failed: dict[str, str] = field(default_factory=dict)
    """Formats that were asked for and could not be made, and why."""


def write_model(model: nn.Module, source: str, folder: Path) -> nn.Module:
    """Write weights and source, then rebuild the network from these two files alone."""
    save_weights(model, folder / NAMES["safetensors"])
    (folder / NAMES["python"]).write_text(source)
    load = runpy.run_path(str(folder / NAMES["python"]))["load"]
    rebuilt: nn.Module = load(folder / NAMES["safetensors"])
    return rebuilt


def program_of(model: nn.Module, example_BCHW: Tensor) -> torch.export.ExportedProgram:
    """The network as a torch.export program with a free batch size."""
    batch = torch.export.Dim("batch", min=1)
    with quiet():
        program = torch.export.export(model, (example_BCHW,), dynamic_shapes=({0: batch},))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it names paths of this machine
    program.example_inputs = ((torch.zeros_like(example_BCHW),), {})  # no real images
    return program


def save_program(program: torch.export.ExportedProgram, path: Path) -> None:
    """Write a torch.export program."""
    with quiet():
        torch.export.save(program, path)


def program_difference(path: Path, model: nn.Module, x_BCHW: Tensor) -> float:
    """Largest difference between a written torch.export program and the network in memory."""
    return max_difference(read_program(path), model, x_BCHW)


def read_program(path: Path) -> nn.Module:
    """The network of a torch.export program."""
    with quiet():
        return torch.export.load(path).module()


def prove_program(path: Path, model: nn.Module, x_NCHW: Tensor, limit: float) -> float:
    """The largest difference; raises ProofFailed if it is more than rounding."""
    difference = program_difference(path, model, x_NCHW)
    require_equal("torch.export program and network in memory", difference, limit)
    return difference


def prove_onnx(
    program: torch.export.ExportedProgram,
    path: Path,
    metadata: Mapping[str, str],
    wanted_NK: Tensor,
    x_NCHW: Tensor,
    limit: float,
) -> tuple[float, int]:
    """Write ONNX; the largest difference from the wanted scores, and how many classes agree.

    Raises:
        ProofFailed: it is another function.
    """
    write_onnx(program, path, metadata)
    scores_NK = onnx_scores(path, x_NCHW)
    difference = float((scores_NK - wanted_NK).abs().max())
    require_equal("ONNX file and network in memory", difference, ONNX_ROUNDING * limit)
    return difference, same_top_1(scores_NK, wanted_NK, difference)
