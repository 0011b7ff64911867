"""Groups of the store as answers of the API."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from recede.api.answers.training.runs import runs_out
from recede.contract.schemas import (
    GroupOut,
    RunOut,
    Spread,
    SummaryRow,
)
from recede.contract.spec import grid
from recede.contract.spec.run import RunSpec
from recede.contract.states import State
from recede.settings import Settings
from recede.store.experiments.groups import members_of
from recede.store.tables.runs import GroupRow


def group_out(settings: Settings, session: Session, row: GroupRow) -> GroupOut:
    """One group."""
    return groups_out(settings, session, [row])[0]


def groups_out(settings: Settings, session: Session, rows: Sequence[GroupRow]) -> list[GroupOut]:
    """Several groups, with all their runs looked up together."""
    members = members_of(session, [row.id for row in rows])
    every = [run for runs in members.values() for run in runs]
    shown = dict(zip([run.id for run in every], runs_out(settings, session, every), strict=True))
    return [_group(row, [shown[run.id] for run in members[row.id]]) for row in rows]


def _group(row: GroupRow, runs: list[RunOut]) -> GroupOut:
    return GroupOut(
        id=row.id,
        name=row.name,
        created_at=row.created_at,
        spec=RunSpec.model_validate(row.spec),
        axes=row.axes,
        counts=dict(Counter(run.state for run in runs)),
        runs=runs,
        summary=summary(row.axes, runs),
    )


def summary(axes: grid.Axes, runs: Sequence[RunOut]) -> list[SummaryRow]:
    """A row for each combination of the axes but the seed that has runs, in their order."""
    specs = [run.spec.model_dump(mode="json") for run in runs]
    rows = []
    for values in grid.combinations_without_seed(axes):
        pairs = zip(runs, specs, strict=True)
        mine = [run for run, spec in pairs if grid.has_values(spec, values)]
        if mine:
            rows.append(_row(values, mine))
    return rows


def _row(values: dict[str, Any], runs: Sequence[RunOut]) -> SummaryRow:
    done = [run for run in runs if run.state is State.SUCCEEDED]
    return SummaryRow(
        values=values,
        runs=len(runs),
        finished=len(done),
        val_accuracy=spread([r.val_accuracy.value for r in done if r.val_accuracy]),
        test_accuracy=spread([r.test_accuracy.value for r in done if r.test_accuracy]),
        lossless_ratio=spread([r.lossless_ratio for r in done if r.lossless_ratio is not None]),
        receded=spread([r.polarisation.below_01 for r in done if r.polarisation]),
    )


def spread(values: Sequence[float]) -> Spread | None:
    """Mean and sample standard deviation; None of nothing."""
    if not values:
        return None
    std = statistics.stdev(values) if len(values) > 1 else None
    return Spread(mean=statistics.fmean(values), std=std, n=len(values))
