"""What a cut keeps and costs, as an answer."""

from __future__ import annotations

from sqlalchemy.orm import Session

from recede.api.answers import cuts
from recede.api.answers.cuts import Cut
from recede.api.routes.pruning import latencies
from recede.contract.network.cost import cost, dense_cost
from recede.contract.network.file_size import file_bytes
from recede.contract.schemas import CostOut, PreviewOut


def of(session: Session, cut: Cut) -> PreviewOut:
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
        accuracy=cuts.known_accuracy(session, cut),
        latency=latencies.of_cut(session, cut),
    )
