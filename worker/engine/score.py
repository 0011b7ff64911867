"""The score job: rank the neurons of one epoch by a criterion, and keep what it says."""

from __future__ import annotations

from backend.contract.specs import ScorePayload
from worker.engine.context import JobContext, Outcome
from worker.engine.scoring import scores_of
from worker.engine.subject import load_subject


def run_score(context: JobContext) -> Outcome:
    """Score the neurons of the payload's epoch; what is known already stays as it is."""
    payload = ScorePayload.model_validate(context.lease.payload)
    subject = load_subject(context, payload.epoch)
    raw = scores_of(subject, payload.criterion)
    return Outcome({"epoch": payload.epoch, "criterion": payload.criterion, "neurons": raw.size})
