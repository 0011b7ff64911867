"""What the uncut network predicts for the validation images: computed once, then stored."""

from __future__ import annotations

import numpy as np
import torch
from sqlalchemy.orm import Session

from recede.store.tables.cuts import PredictionRow
from recede_worker.engine.evaluation.accuracy import evaluate
from recede_worker.engine.evaluation.trained_epoch import TrainedEpoch
from recede_worker.engine.inputs.parts import Classes, Dense
from recede_worker.engine.job.handle import JobHandle


def known_predictions(job: JobHandle, trained: TrainedEpoch) -> Dense:
    """As far as they are known; with the network itself where they are not."""
    predicted_N = _cached_or_stored(job, trained)
    if predicted_N is not None:
        y_N = trained.validation.y_N.cpu().numpy()
        return Dense(int((predicted_N == y_N).sum()), predicted_N)
    recorded = trained.checkpoint.manifest.get("accuracy", {}).get("validation", {})
    is_same_split = recorded.get("n") == len(trained.validation)
    correct = recorded.get("correct") if is_same_split else None
    dense = trained.surgeon.cut(trained.whole().mask).to(trained.device)
    return Dense(correct, None, dense.to(memory_format=torch.channels_last))


def all_predictions(job: JobHandle, trained: TrainedEpoch) -> Classes:
    """For the whole split, evaluated now if need be.

    Raises:
        Cancelled, Interrupted: the job should stop.
        LeaseLost: the job was taken over.
    """
    predicted_N = _cached_or_stored(job, trained)
    if predicted_N is None:
        dense = trained.surgeon.cut(trained.whole().mask).to(trained.device)
        whole = evaluate(dense, trained.validation, trained.data.normalise, job.check)
        predicted_N = whole.predicted_N.numpy()
        trained.cached.predicted_N = predicted_N
        with job.write() as session:
            store_predictions(session, trained, predicted_N)
    return predicted_N


def store_predictions(session: Session, trained: TrainedEpoch, predicted_N: Classes) -> None:
    """Keep them, if they are complete (no -1) and not stored yet."""
    if (predicted_N < 0).any() or _row(session, trained) is not None:
        return
    correct = int((predicted_N == trained.validation.y_N.cpu().numpy()).sum())
    session.add(
        PredictionRow(
            run_id=trained.run_id,
            epoch=trained.epoch,
            split="validation",
            predicted=predicted_N.astype("<u2").tobytes(),
            correct=correct,
            n=len(predicted_N),
        )
    )


def _cached_or_stored(job: JobHandle, trained: TrainedEpoch) -> Classes | None:
    cached = trained.cached
    if cached.predicted_N is None:
        with job.read() as session:
            row = _row(session, trained)
        if row is not None and row.n == len(trained.validation):
            cached.predicted_N = np.frombuffer(row.predicted, "<u2").astype(np.int64)
    return cached.predicted_N


def _row(session: Session, trained: TrainedEpoch) -> PredictionRow | None:
    return session.get(PredictionRow, (trained.run_id, trained.epoch, "validation"))
