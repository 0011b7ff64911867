"""What the supervisor and its processes send each other."""

from __future__ import annotations

from dataclasses import dataclass

from recede.contract.errors import RecedeError
from recede.contract.spec.catalog import Catalog
from recede.store.queue import lease as leases


@dataclass(frozen=True)
class Offer:
    """From the process of the catalog: what can be trained, and the versions that it takes."""

    catalog: Catalog
    versions: dict[str, str]


@dataclass(frozen=True)
class Unusable:
    """From the process of the catalog: why there is none, for example a broken plug-in."""

    error: RecedeError


@dataclass(frozen=True)
class Job:
    """To the process: do this next. `pid_stored`: the store has this process's id already."""

    lease: leases.Lease
    pid_stored: bool


@dataclass(frozen=True)
class Cancel:
    """To the process: this job was cancelled."""

    job_id: int


@dataclass(frozen=True)
class Pause:
    """To the process: pause between two batches, or resume."""

    is_paused: bool


@dataclass(frozen=True)
class Done:
    """From the process: the job has ended and is recorded; whether another one may follow."""

    job_id: int
    is_reusable: bool
