"""States, job kinds and lanes: the words that store, API and pages share."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """State of a run or a job; "cancelling" is a field and "stalled" is derived, not states."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """True once nothing more will happen by itself."""
        return self in (State.SUCCEEDED, State.FAILED, State.CANCELLED)


class JobKind(StrEnum):
    """One kind of queued work for a run."""

    TRAIN = "train"
    CURVE = "curve"
    EVALUATE = "evaluate"
    PRUNE = "prune"
    SCORE = "score"
    LATENCY = "latency"


class Lane(StrEnum):
    """Where a job waits: interactive work is never behind a training.

    What waits elsewhere no worker takes: it is measured where a recorded run's network is.
    """

    TRAINING = "training"
    INTERACTIVE = "interactive"
    ELSEWHERE = "elsewhere"


LANES: dict[JobKind, Lane] = {
    JobKind.TRAIN: Lane.TRAINING,
    JobKind.CURVE: Lane.INTERACTIVE,
    JobKind.EVALUATE: Lane.INTERACTIVE,
    JobKind.PRUNE: Lane.INTERACTIVE,
    JobKind.SCORE: Lane.INTERACTIVE,
    JobKind.LATENCY: Lane.INTERACTIVE,
}

# Higher first within a lane: a user waits for an evaluation, but not for a curve.
PRIORITIES: dict[JobKind, int] = {
    JobKind.TRAIN: 0,
    JobKind.CURVE: 0,
    JobKind.PRUNE: 5,
    JobKind.LATENCY: 5,
    JobKind.SCORE: 8,
    JobKind.EVALUATE: 10,
}


class CheckpointKind(StrEnum):
    """What a downloadable file holds."""

    TRAINED = "trained"
    PRUNED = "pruned"
    FINETUNED = "finetuned"
