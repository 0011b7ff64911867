"""The score job: rank the neurons of one epoch by a criterion, and store the scores."""

from __future__ import annotations

from recede.contract.spec.run import ScorePayload
from recede_worker.engine.evaluation.ranking import scores_by
from recede_worker.engine.evaluation.trained_epoch import TrainedEpoch
from recede_worker.engine.job.handle import JobHandle, Outcome


def run_score(job: JobHandle, trained: TrainedEpoch, payload: ScorePayload) -> Outcome:
    """Score the neurons of the payload's epoch; scores that are stored already stay."""
    raw = scores_by(job, trained, payload.criterion)
    return Outcome({"epoch": payload.epoch, "criterion": payload.criterion, "neurons": raw.size})
