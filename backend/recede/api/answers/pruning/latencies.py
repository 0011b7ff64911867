"""Measured latencies as answers."""

from __future__ import annotations

import numpy as np
from sqlalchemy.orm import Session

from recede.api.rules.cuts import Cut
from recede.contract.cut.selection import Selection
from recede.contract.schemas import LatencyOut
from recede.store.results import latencies
from recede.store.tables.cuts import LatencyRow


def latencies_of_cut(session: Session, cut: Cut) -> list[LatencyOut]:
    """What was measured of a cut, and of the dense network; nothing if the cut never was."""
    whole = Selection(np.ones(cut.shape.n_neurons, np.bool_), tuple(cut.shape.sizes), ()).digest
    rows = latencies.known(session, cut.run_id, [cut.selection.digest, whole])
    timed = any(row.digest == cut.selection.digest for row in rows)
    return [latency_out(row) for row in rows] if timed else []


def latency_out(row: LatencyRow) -> LatencyOut:
    """One measured latency."""
    return LatencyOut(
        digest=row.digest,
        ratio=row.ratio,
        dense=row.ratio == 0,
        device=row.device,
        threads=row.threads,
        batch=row.batch,
        median_ms=row.median_ms,
        p95_ms=row.p95_ms,
        n=row.n,
        busy=row.busy,
        created_at=row.created_at,
    )
