"""Trainer state for resuming: ours alone, plain tensors and numbers, read without pickle.

It holds one finished epoch whole, metrics and snapshot included, so that a crash between
this file and the store's transaction loses nothing: on resuming, the epoch is recorded again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from recede.contract.errors import StorageProblem
from recede_worker.engine.checkpoints.atomic_files import write_atomically
from recede_worker.engine.checkpoints.read_errors import TORCH_LOAD_ERRORS
from recede_worker.engine.training.epoch.precision import Precision

FILE = "trainer.pt"


@dataclass
class TrainerState:
    """All that decides how training goes on after `epoch`.

    Random numbers need no state: each epoch draws from a generator seeded by (seed, epoch).
    """

    epoch: int
    metrics: dict[str, Any]
    best_epoch: int
    best_correct: int
    model: dict[str, torch.Tensor]
    optimiser: dict[str, Any]
    precision: Precision = "fp32"
    """A resumed run keeps the number format that it started with."""
    map: dict[str, Any] = field(default_factory=dict)
    """The time budget of the prunability map; see prunability/budget.py."""


def save_state(folder: Path, state: TrainerState) -> None:
    """Replace the run's state file; raises StorageProblem if that is not possible."""
    write_atomically(folder / FILE, lambda path: torch.save(vars(state), path))


def load_state(folder: Path) -> TrainerState | None:
    """The last saved state, or None if there is none.

    Raises:
        StorageProblem: the file is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        return TrainerState(**torch.load(path, map_location="cpu", weights_only=True))
    except TORCH_LOAD_ERRORS as error:
        raise StorageProblem(
            f"The trainer state {path.name} of this run cannot be read: {error}",
            hint="The run cannot be resumed; start it again as a new run.",
        ) from error
