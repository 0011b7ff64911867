"""What differs between the runs of a group, how they stand, and means, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recede.client import (
    Catalog,
    GroupOut,
    RunOut,
    Spread,
)
from recede_dashboard.words import numbers
from recede_dashboard.words.specs import label_of, value_text

SEED = "seed"
STATES = {
    "running": "running",
    "queued": "queued",
    "succeeded": "finished",
    "failed": "failed",
    "cancelled": "cancelled",
}
ACTIVE = ("queued", "running")


def axis_labels(group: GroupOut, catalog: Catalog | None) -> dict[str, str]:
    """The names of what differs, as the form calls them, by the dotted name."""
    return {axis: label_of(axis, group.spec, catalog) for axis in group.axes}


def values_words(values: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """One combination of the axes: "Strength λ 0.02", or "all" where only seeds differ."""
    parts = [f"{labels.get(axis, axis)} {value_text(value)}" for axis, value in values.items()]
    return ", ".join(parts) or "all seeds"


def counts_words(group: GroupOut) -> str:
    """How many runs stand where, for example "6 runs: 3 finished, 1 running, 2 queued"."""
    by_state = {str(getattr(state, "value", state)): n for state, n in group.counts.items()}
    parts = [f"{by_state[key]} {word}" for key, word in STATES.items() if by_state.get(key)]
    n_runs = numbers.plural(len(group.runs), "run")
    return f"{n_runs}: {', '.join(parts)}" if parts else n_runs


def is_active(group: GroupOut) -> bool:
    """Whether a run of the group is queued or running."""
    return any(run.state.value in ACTIVE for run in group.runs)


def step_of(group: GroupOut, run: RunOut) -> int:
    """Row of the summary that a run belongs to; -1 if to none."""
    for i, row in enumerate(group.summary):
        if all(spec_value(run, axis) == value for axis, value in row.values.items()):
            return i
    return -1


def spec_value(run: RunOut, axis: str) -> Any:
    """The value of a dotted field in the spec of a run."""
    place, _, name = axis.rpartition(".")
    return getattr(run.spec, place).get(name) if place else getattr(run.spec, name)


def spread_text(spread: Spread | None, decimals: int) -> str:
    """A mean share with its standard deviation: "88.9 % ± 0.6 %"; a dash where there is none."""
    if spread is None:
        return numbers.NOTHING
    mean = numbers.fixed_share(spread.mean, decimals)
    return mean if spread.std is None else f"{mean} ± {numbers.fixed_share(spread.std, decimals)}"


def spread_title(spread: Spread | None) -> str:
    """What the mean is of."""
    if spread is None:
        return "nothing measured yet"
    if spread.std is None:
        return "a single run has no standard deviation"
    return f"mean ± sample standard deviation of {spread.n} runs"


def state_words(run: RunOut) -> tuple[str, str]:
    """Key of the icon and words for what a run does; the browser follows the same rules."""
    state = run.state.value
    if run.cancel_requested_at is not None and state in ACTIVE:
        return "cancelling", "Cancelling…"
    if state == "running" and run.stalled_s is not None:
        return "stalled", f"Stalled {numbers.duration(run.stalled_s)}"
    if state == "queued":
        place = run.queue_position
        return state, "Queued" if place is None else f"{numbers.ordinal(place)} in queue"
    return state, STATES[state].capitalize()


def done(run: RunOut) -> float:
    """Share of the training done in [0, 1], from epochs and the batch of the current one."""
    if not run.spec.trains:
        return float(run.state.value == "succeeded")
    p = run.progress or {}
    part = 0.0
    if run.state.value == "running" and p.get("batches") and p.get("epoch", 0) > run.epochs_done:
        part = p["batch"] / p["batches"]
    return min(1.0, (run.epochs_done + part) / run.spec.epochs)
