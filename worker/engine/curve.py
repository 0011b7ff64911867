"""The curve and evaluate jobs: accuracy of really cut networks on the validation split."""

from __future__ import annotations

import time

from backend.contract.accuracy import Measured, lossless_ratio
from backend.contract.specs import CurvePayload, EvaluatePayload, Plan
from backend.store import runs
from worker.engine.context import JobContext, Outcome
from worker.engine.subject import load_subject


def run_curve(context: JobContext) -> Outcome:
    """Measure each ratio of the payload at the best epoch; equal cuts are measured once."""
    payload = CurvePayload.model_validate(context.lease.payload)
    subject = load_subject(context, None)
    points: dict[str, Measured] = {}
    started = time.perf_counter()
    total = len(payload.ratios)
    for done, ratio in enumerate(payload.ratios):
        context.check()
        eta_s = (time.perf_counter() - started) / done * (total - done) if done else None
        context.progress("measuring", done, total, "ratios", eta_s=eta_s)
        plan = Plan(epoch=subject.checkpoint.epoch, scope=payload.scope, ratio=ratio)
        row = subject.measure(plan, on_curve=True)
        points[row.digest] = Measured(row.ratio, row.correct, row.n)
        context.log(f"ratio {row.ratio:.3f}: {100 * row.correct / row.n:.2f} % of {row.n}")
    lossless = lossless_ratio(list(points.values()))
    with context.write() as session:
        runs.set_results(session, context.lease.run_id, lossless_ratio=lossless)
    return Outcome({"lossless_ratio": lossless, "points": len(points)})


def run_evaluate(context: JobContext) -> Outcome:
    """Measure one plan; the answer is kept by the set of kept channels."""
    plan = EvaluatePayload.model_validate(context.lease.payload).plan
    subject = load_subject(context, plan.epoch)
    context.progress("measuring", 0, 1, "steps", message="validation split")
    row = subject.measure(plan)
    return Outcome({"evaluation_id": row.id})
