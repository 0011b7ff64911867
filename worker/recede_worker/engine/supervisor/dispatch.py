"""From a claimed job to the function that does it, with the inputs that it needs."""

from __future__ import annotations

from recede.contract.spec.run import (
    CurvePayload,
    EvaluatePayload,
    LatencyPayload,
    PrunePayload,
    ScorePayload,
)
from recede.contract.states import JobKind
from recede_worker.engine.evaluation.cache import Cache
from recede_worker.engine.evaluation.curve_job import run_curve
from recede_worker.engine.evaluation.evaluate_job import run_evaluate
from recede_worker.engine.evaluation.latency_job import run_latency
from recede_worker.engine.evaluation.score_job import run_score
from recede_worker.engine.evaluation.trained_epoch import TrainedEpoch, load_trained_epoch
from recede_worker.engine.inputs.run import RunInputs
from recede_worker.engine.job.handle import JobHandle, Outcome
from recede_worker.engine.pruning.job import run_prune
from recede_worker.engine.training.job import run_training


def perform(job: JobHandle, run: RunInputs, cache: Cache) -> Outcome:
    """Do the job; what it loads stays in the cache.

    Raises:
        RecedeError: the job failed.
        Cancelled, Interrupted: the job should stop.
        LeaseLost: the job was taken over or deleted.
    """

    def load(epoch: int | None) -> TrainedEpoch:
        return load_trained_epoch(job, run, cache, epoch)

    payload = job.lease.payload
    match job.lease.kind:
        case JobKind.TRAIN:
            return run_training(job, run)
        case JobKind.CURVE:
            curve = CurvePayload.model_validate(payload)
            return run_curve(job, load(curve.epoch), curve)
        case JobKind.EVALUATE:
            plan = EvaluatePayload.model_validate(payload).plan
            return run_evaluate(job, load(plan.epoch), plan)
        case JobKind.PRUNE:
            prune = PrunePayload.model_validate(payload)
            return run_prune(job, run, load(prune.plan.epoch), prune)
        case JobKind.LATENCY:
            latency = LatencyPayload.model_validate(payload)
            return run_latency(job, load(latency.plan.epoch), latency)
        case JobKind.SCORE:
            score = ScorePayload.model_validate(payload)
            return run_score(job, load(score.epoch), score)
