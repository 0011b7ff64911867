"""Counts of runs, jobs and workers as Prometheus reads them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from recede.contract.states import Lane, State
from recede.store.experiments import runs
from recede.store.queue import jobs, workers


def metrics_text(session: Session) -> str:
    """Runs by state, depth of the queue and live workers in Prometheus' text format."""
    counts = runs.counts(session)
    depths = {lane: jobs.lane_depth(session, lane) for lane in Lane}
    alive = workers_alive(session)
    lines = [
        *_metric("recede_runs", "Runs by state."),
        *(f'recede_runs{{state="{state.value}"}} {counts.get(state.value, 0)}' for state in State),
        *_metric("recede_queue_depth", "Queued jobs by lane."),
        *(f'recede_queue_depth{{lane="{lane.value}"}} {depth}' for lane, depth in depths.items()),
        *_metric("recede_workers_alive", "Workers heard of in the last 15 seconds."),
        f"recede_workers_alive {alive}",
    ]
    return "\n".join(lines) + "\n"


def workers_alive(session: Session) -> int:
    """Workers that were heard of lately."""
    return sum(silent_s < workers.STALE_S for _, silent_s in workers.all_workers(session))


def _metric(name: str, help_: str) -> list[str]:
    return [f"# HELP {name} {help_}", f"# TYPE {name} gauge"]
