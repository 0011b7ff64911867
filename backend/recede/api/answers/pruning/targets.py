"""The cut that meets a target, as an answer."""

from __future__ import annotations

from sqlalchemy.orm import Session

from recede.api.answers.pruning.curves import curve_points
from recede.api.answers.pruning.previews import preview_out
from recede.api.rules import cuts
from recede.contract.cut.targets import CurveAt, Target, solve
from recede.contract.schemas import SolveOut
from recede.contract.spec.run import Plan
from recede.store.experiments import history
from recede.store.results import scores
from recede.store.results.curves import Place
from recede.store.tables.runs import RunRow


def solved(session: Session, run: RunRow, plan: Plan, target: Target) -> SolveOut:
    """The plan that meets a target, or comes closest; of `plan` all but the ratio holds.

    Raises:
        Conflict, InvalidInput: what cuts.settled and solve() refuse.
        ScoreMissing: the epoch was not scored by the plan's criterion yet.
    """
    asked = cuts.settled(session, run, plan)
    assert asked.epoch is not None
    shape = history.network(session, run.id)
    raw = scores.ranking(session, run.id, asked.epoch, asked.criterion)
    by_accuracy = target.kind in ("accuracy", "drop")
    points = _points(session, run.id, asked) if by_accuracy else ()
    found = solve(shape, raw, asked, target, points)
    plain = cuts.on_curve(run, asked)
    cut = cuts.Cut(run.id, found.plan, asked.epoch, shape, found.selection, plain)
    return SolveOut(
        plan=found.plan,
        preview=preview_out(session, cut),
        reached=found.reached,
        value=found.value,
        bound=found.bound,
        basis=("curve" if plain else "other_curve") if by_accuracy else "exact",
    )


def _points(session: Session, run_id: str, plan: Plan) -> list[CurveAt]:
    """The curve of such plans, as far as it is known."""
    assert plan.epoch is not None
    place = Place(plan.epoch, plan.criterion, plan.scope, plan.bias)
    known = curve_points(session, run_id, place)
    return [CurveAt(point.ratio, point.accuracy.value) for point in known]
