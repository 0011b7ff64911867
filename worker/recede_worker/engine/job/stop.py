"""Why a job stops before its end; raised between batches by JobHandle.check()."""

from __future__ import annotations


class Stop(Exception):
    """Root of the reasons to stop; not an error of the job."""


class Cancelled(Stop):
    """A user cancelled the job."""


class Interrupted(Stop):
    """The worker is stopping: the job goes back into its queue."""
