"""A group of two strengths and two seeds as the API gives it: one combination done, one not."""

from __future__ import annotations

from typing import Any

from recede.client import (
    GroupOut,
    Polarisation,
    RunOut,
)
from tests.dashboard import samples

SEEDS = (0, 1)
STRENGTHS = (0.05, 0.1)


def polarisation(below_01: float) -> Polarisation:
    return Polarisation(
        n=100, below_001=0.2, below_01=below_01, above_05=0.5, bimodality=0.7, valley=0.04
    )


def member(lam: float, seed: int, **changes: Any) -> RunOut:
    """The run of one strength and seed; the second strength waits in the queue."""
    spec = samples.SPEC.model_copy(update={"seed": seed, "method_params": {"lam": lam}})
    done = lam == STRENGTHS[0]
    waiting = {
        "state": "queued",
        "epochs_done": 0,
        "best_epoch": None,
        "val_accuracy": None,
        "test_accuracy": None,
        "lossless_ratio": None,
        "queue_position": seed,
    }
    values: dict[str, Any] = {
        "id": f"run{STRENGTHS.index(lam)}{seed}xxx",
        "name": f"first λ {lam}, seed {seed}",
        "spec": spec,
        "group_id": "grp23456",
        "polarisation": polarisation(0.4) if done else None,
    }
    return samples.run(**values | ({} if done else waiting) | changes)


def group(**changes: Any) -> GroupOut:
    """Four runs, two of them finished."""
    spread = {"mean": 0.9, "std": 0.01, "n": 2}
    rows = [
        {
            "values": {"method_params.lam": lam},
            "runs": 2,
            "finished": 2 if lam == STRENGTHS[0] else 0,
            **dict.fromkeys(
                ("val_accuracy", "test_accuracy", "lossless_ratio", "receded"),
                spread if lam == STRENGTHS[0] else None,
            ),
        }
        for lam in STRENGTHS
    ]
    values: dict[str, Any] = {
        "id": "grp23456",
        "name": "first λ × seed",
        "created_at": 0.0,
        "spec": samples.SPEC,
        "axes": {"method_params.lam": list(STRENGTHS), "seed": list(SEEDS)},
        "counts": {"succeeded": 2, "queued": 2},
        "runs": [member(lam, seed) for lam in STRENGTHS for seed in SEEDS],
        "summary": rows,
    }
    return GroupOut.model_validate(values | changes)
