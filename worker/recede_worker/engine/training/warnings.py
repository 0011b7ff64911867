"""The notices of a training while it runs: stuck at chance, layers that receded entirely."""

from __future__ import annotations

import math
from typing import Any

import torch
from sqlalchemy.orm import Session
from torch import Tensor

from recede.store.experiments import history, runs

PATIENCE = 3
"""Epochs in a row at chance before there is a notice."""
AT_CHANCE, LAYER_RECEDED = "at_chance", "layer_receded"
SHOWN_LAYERS = 5


def update_notices(
    session: Session,
    run_id: str,
    *,
    epoch: int,
    polarisation: dict[str, Any],
    labels_N: Tensor,
    warmup_epochs: int,
) -> None:
    """Add or withdraw the notices of a run after an epoch, which is stored already.

    `labels_N` are those of the validation images. Nothing is kept between two calls, so a
    resumed run gets the same notices.
    """
    _update_chance(session, run_id, epoch, chance_limit(labels_N), warmup_epochs)
    _update_receded(session, run_id, epoch, polarisation["layers"])


def chance_limit(labels_N: Tensor) -> float:
    """Most correct answers that always naming the largest class explains (two deviations)."""
    n = len(labels_N)
    share = int(torch.bincount(labels_N).max()) / n
    return n * share + 2 * math.sqrt(n * share * (1 - share))


def _update_chance(
    session: Session, run_id: str, epoch: int, limit: float, warmup_epochs: int
) -> None:
    first = max(warmup_epochs + 1, epoch - PATIENCE + 1)
    seen = history.epochs(session, run_id, after=first - 1)
    if len(seen) < PATIENCE or any((row.val_correct or 0) > limit for row in seen):
        runs.clear_notice(session, run_id, AT_CHANCE)
        return
    last = seen[-1]
    assert last.val_correct is not None  # of every epoch that is trained here
    assert last.n_val
    runs.notice(
        session,
        run_id,
        AT_CHANCE,
        f"Validation accuracy was no better than chance for {PATIENCE} epochs: "
        f"{100 * last.val_correct / last.n_val:.2f} % of {last.n_val} images, where up to "
        f"{100 * limit / last.n_val:.2f} % come from always naming the largest class.",
        hint="Cancel the run and try a smaller learning rate or a smaller λ; check that the "
        "images belong to their classes.",
        epoch=seen[0].epoch,
    )


def _update_receded(
    session: Session, run_id: str, epoch: int, layers: dict[str, dict[str, Any]]
) -> None:
    gone = [name for name, found in layers.items() if found["below_001"] == 1]
    if not gone:
        runs.clear_notice(session, run_id, LAYER_RECEDED)
        return
    names = ", ".join(gone[:SHOWN_LAYERS]) + (", …" if len(gone) > SHOWN_LAYERS else "")
    runs.notice(
        session,
        run_id,
        LAYER_RECEDED,
        f"Every neuron of {len(gone)} of {len(layers)} layers has an importance under 0.01: "
        f"{names}.",
        hint="A whole layer recedes when λ × steps is too large: the next layer normalises "
        "its small outputs again, so their importances mean little. Use a smaller λ, or lock "
        "these layers when you cut.",
        epoch=epoch,
    )
