"""Timings of devices elsewhere as answers, and the cut that is fast enough on one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from recede.api.answers.training.checkpoints import bench_out
from recede.contract.errors import NotFound
from recede.contract.schemas import BenchSolveOut
from recede.contract.spec.run import Plan
from recede.contract.states import CheckpointKind
from recede.store.results import benches, evaluations
from recede.store.tables.benches import BenchRow
from recede.store.tables.runs import CheckpointRow


@dataclass(frozen=True)
class Timed:
    """A network and the fastest of its files on one device at one batch size."""

    checkpoint: CheckpointRow
    row: BenchRow

    @property
    def ratio(self) -> float:
        """The share of the neurons that was removed."""
        pruned = self.checkpoint.kind == CheckpointKind.PRUNED.value
        return float(self.checkpoint.manifest["ratio"]) if pruned else 0.0

    @property
    def plan(self) -> Plan:
        """The plan that makes this network."""
        if self.checkpoint.kind == CheckpointKind.PRUNED.value:
            return Plan.model_validate(self.checkpoint.manifest["plan"])
        return Plan(epoch=self.checkpoint.epoch, ratio=0.0)


def fast_enough(
    session: Session, run_id: str, device: str, target_ms: float, batch: int
) -> BenchSolveOut:
    """Of the networks timed on the device, the one that removes least and is fast enough.

    Raises:
        NotFound: none was timed there at that batch size; it says which devices reported.
    """
    checkpoints = {row.id: row for row in evaluations.checkpoints(session, run_id)}
    rows = benches.known(session, list(checkpoints))
    best: dict[str, BenchRow] = {}
    for row in rows:
        slower = best.get(row.checkpoint_id)
        matches = row.device == device and row.batch == batch
        if matches and (slower is None or row.median_ms < slower.median_ms):
            best[row.checkpoint_id] = row
    if not best:
        raise _never_timed(device, batch, rows)
    timed = [Timed(checkpoints[id_], row) for id_, row in best.items()]
    enough = [one for one in timed if one.row.median_ms <= target_ms]
    if enough:
        chosen = min(enough, key=lambda one: (one.ratio, one.row.median_ms))
    else:
        chosen = min(timed, key=lambda one: one.row.median_ms)
    return BenchSolveOut(
        plan=chosen.plan,
        reached=bool(enough),
        checkpoint_id=chosen.checkpoint.id,
        ratio=chosen.ratio,
        timing=bench_out(chosen.row),
        compared=len(timed),
    )


def _never_timed(device: str, batch: int, rows: Sequence[BenchRow]) -> NotFound:
    known = dict.fromkeys(f"{row.device!r} at batch {row.batch}" for row in rows)
    return NotFound(
        f"No network of this run was timed on {device!r} at batch {batch}.",
        hint=f"Timed were: {', '.join(known)}."
        if known
        else "Time its files there first: `recede bench FILE --to URL`, or the script of Files.",
    )
