"""Cuts of a recorded run, asked for here and measured where its network is."""

from __future__ import annotations

from sqlalchemy.orm import Session

from recede.api.rules import cuts
from recede.contract.errors import Conflict, InvalidInput, NotFound, WeightsGone
from recede.contract.network.cost import cost
from recede.contract.recorded.sent import CutAnswer, CutRequest
from recede.contract.spec.run import IMPORTANCE, EvaluatePayload, Plan
from recede.contract.states import Lane
from recede.store.database.clock import now
from recede.store.experiments import recordings as stored
from recede.store.experiments import serving
from recede.store.queue import jobs
from recede.store.results import curves, evaluations
from recede.store.tables.runs import EvaluationRow, JobRow, RecordingRow, RunRow


class NobodyMeasures(Conflict):
    """The weights are elsewhere, and no process there takes requests."""

    code = "nobody_measures"


def ask(session: Session, run: RunRow, plan: Plan) -> JobRow:
    """Ask the process that has the network to measure the cut of a settled plan.

    Raises:
        NobodyMeasures: there is none now.
        WeightsGone: it does not have the weights of that epoch.
    """
    row = stored.of_runs(session, [run.id])[run.id]
    epochs = serving.served(row, now(session))
    if epochs is None:
        raise NobodyMeasures(
            f"Run {run.id} is recorded elsewhere, and nobody measures its cuts now.",
            hint=serving.HOW,
        )
    if plan.epoch not in epochs:
        nearest = min(epochs, key=lambda epoch: abs(epoch - (plan.epoch or 0)), default=None)
        raise WeightsGone(
            f"The recording does not keep the weights of epoch {plan.epoch}, only those of epoch "
            f"{', '.join(str(epoch) for epoch in epochs)}.",
            field="plan.epoch",
            hint=f"The nearest is epoch {nearest}.",
            details={"nearest_epoch": nearest, "kept_epochs": epochs},
        )
    return serving.ask(session, run.id, EvaluatePayload(plan=plan).model_dump(mode="json"))


def known(session: Session, run: RunRow, plan: Plan) -> EvaluationRow | None:
    """What a point of the recorded curve says of exactly the cut of a settled plan, if one does.

    Raises:
        InvalidInput: the neurons would be ranked by what only weights tell.
    """
    check_criterion(plan)
    cut = cuts.make(session, run, plan)
    point = curves.of_cut(session, run.id, cut.epoch, cut.selection.digest)
    return None if point is None else _keep(session, cut, point.value, seconds=0.0)


def check_criterion(plan: Plan) -> None:
    """Raises InvalidInput for another ranking than the recorded importances."""
    if plan.criterion != IMPORTANCE:
        raise InvalidInput(
            f"The criterion was {plan.criterion!r}; neurons of a run that is recorded elsewhere "
            "are ranked by their importances alone.",
            field="plan.criterion",
            hint="Leave it out.",
        )


def request_of(session: Session, job: JobRow) -> CutRequest:
    """A request as it is handed out: the plan, and the hash of the channels that it keeps."""
    plan = EvaluatePayload.model_validate(job.payload).plan
    cut = cuts.make(session, session.get_one(RunRow, job.run_id), plan)
    return CutRequest(id=job.id, plan=plan, digest=cut.selection.digest)


def keep_answer(session: Session, row: RecordingRow, job_id: int, answer: CutAnswer) -> None:
    """Keep what was measured, or why it was not, and end the request.

    Raises:
        NotFound: no such request of this recording.
        InvalidInput: another cut was measured, or the recording has no metric.
    """
    job = jobs.get(session, job_id)
    if job.run_id != row.run_id or job.lane != Lane.ELSEWHERE.value:
        raise NotFound(f"This recording has no request {job_id}.")
    if answer.value is None:
        error = {"code": "evaluate_failed", "message": answer.error or "It was not measured."}
        serving.finish(session, job, error=error)
        return
    plan = EvaluatePayload.model_validate(job.payload).plan
    cut = cuts.make(session, session.get_one(RunRow, row.run_id), plan)
    if cut.selection.digest != answer.digest:
        raise InvalidInput(
            "Other channels were kept than was asked for.",
            field="digest",
            hint="Use the same version of Recede on both sides.",
        )
    kept = _keep(session, cut, answer.value, seconds=answer.seconds)
    serving.finish(session, job, result={"evaluation_id": kept.id})


def _keep(session: Session, cut: cuts.Cut, value: float, *, seconds: float) -> EvaluationRow:
    """Keep a value of the recording's metric as what was measured on a cut."""
    metric = stored.metric_of(stored.of_runs(session, [cut.run_id])[cut.run_id])
    if metric is None:
        raise InvalidInput(
            "This recording has no metric, so its cuts have no value to be shown.",
            field="value",
            hint="Name one: recede.watch(…, metric=…).",
        )
    return evaluations.put_evaluation(
        session,
        run_id=cut.run_id,
        digest=cut.selection.digest,
        split="validation",
        epoch=cut.epoch,
        ratio=cut.selection.ratio,
        plan=cut.plan.model_dump(mode="json"),
        correct=metric.correct(value) or 0,
        n=metric.accuracy(value).n,
        value=value,
        seconds=seconds,
        **vars(cost(cut.shape, cut.selection.kept)),
    )
