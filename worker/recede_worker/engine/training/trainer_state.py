"""Trainer state for resuming: ours alone, plain tensors and numbers, read without pickle.

It holds one finished epoch whole, metrics and snapshot included, so that a crash between
this file and the store's transaction loses nothing: on resuming, the epoch is recorded again.
"""

from __future__ import annotations

import pickle
import struct
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from recede.contract.errors import StorageProblem
from recede_worker.engine.checkpoints.atomic_files import write_atomically
from recede_worker.engine.training.epoch.precision import Precision

FILE = "trainer.pt"
DAMAGED = (
    *(OSError, RuntimeError, EOFError, TypeError, ValueError, AttributeError, LookupError),
    *(pickle.UnpicklingError, struct.error, zipfile.BadZipFile),
)
"""What torch.load raises, depending on where a file is damaged."""


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
    """A resumed run goes on in the number format that it began with."""
    map: dict[str, Any] = field(default_factory=dict)
    """What the prunability map may still cost; see engine/map_budget.py."""


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
    except DAMAGED as error:
        raise StorageProblem(
            f"The trainer state {path.name} of this run cannot be read: {error}",
            hint="The run cannot be resumed; start it again as a new run.",
        ) from error
