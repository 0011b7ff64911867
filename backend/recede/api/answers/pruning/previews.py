"""What a cut keeps and costs, as an answer."""

from __future__ import annotations

from sqlalchemy.orm import Session

from recede.api.answers.accuracies import accuracy_out
from recede.api.answers.pruning.curves import curve_points, known_points
from recede.api.answers.pruning.evaluations import evaluation_out
from recede.api.answers.pruning.latencies import latencies_of_cut
from recede.api.rules.cuts import Cut
from recede.contract.measuring import accuracy
from recede.contract.network.cost import cost, dense_cost
from recede.contract.network.file_size import file_bytes
from recede.contract.schemas import AccuracyOut, CostOut, PreviewOut
from recede.store.results import evaluations
from recede.store.results.curves import Place


def preview_out(session: Session, cut: Cut) -> PreviewOut:
    """Kept channels and costs (exact), and the accuracy as far as it is known."""
    names = [group.name for group in cut.shape.groups]
    chosen = cut.selection
    return PreviewOut(
        epoch=cut.epoch,
        ratio=chosen.ratio,
        removed=chosen.removed,
        kept=dict(zip(names, chosen.kept, strict=True)),
        held_at_minimum=list(chosen.held_at_minimum),
        rounded_up=list(chosen.rounded_up),
        digest=chosen.digest,
        cost=CostOut(**vars(cost(cut.shape, chosen.kept))),
        dense=CostOut(**vars(dense_cost(cut.shape))),
        file_bytes=file_bytes(cut.shape, chosen.kept),
        dense_file_bytes=file_bytes(cut.shape, cut.shape.sizes),
        accuracy=known_accuracy(session, cut),
        latency=latencies_of_cut(session, cut),
    )


def known_accuracy(session: Session, cut: Cut) -> AccuracyOut | None:
    """Measured if exactly this cut was; else estimated from the curve, if it lies on it."""
    row = evaluations.evaluation(session, cut.run_id, cut.epoch, cut.selection.digest)
    if row is not None:
        return evaluation_out(row).accuracy
    if not cut.on_curve:
        return None
    # A threshold is always global, whatever the plan's scope says.
    scope = "global" if cut.plan.threshold is not None else cut.plan.scope
    place = Place(cut.epoch, cut.plan.criterion, scope, cut.plan.bias)
    points = known_points(curve_points(session, cut.run_id, place))
    guess = accuracy.estimate(points, cut.selection.ratio)
    return None if guess is None else accuracy_out(guess)
