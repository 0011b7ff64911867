"""Requests on jobs."""

from __future__ import annotations

from recede.client.endpoints.call import (
    API,
    Call,
    body,
    given,
)
from recede.contract.schemas import (
    JobOut,
    LogOut,
    Page,
)
from recede.contract.states import JobKind, State


def jobs(
    *,
    run_id: str | None = None,
    state: State | str | None = None,
    kind: JobKind | str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Call[Page[JobOut]]:
    """Jobs, newest first."""
    params = given(run_id=run_id, state=state, kind=kind, limit=limit, cursor=cursor)
    return Call("GET", f"{API}/jobs", body(Page[JobOut]), params=params)


def job(job_id: int) -> Call[JobOut]:
    """One job."""
    return Call("GET", f"{API}/jobs/{job_id}", body(JobOut))


def cancel_job(job_id: int) -> Call[JobOut]:
    """Cancel a queued job, or ask a running one to stop."""
    return Call("POST", f"{API}/jobs/{job_id}/cancel", body(JobOut))


def log(job_id: int, *, after: int = 0) -> Call[LogOut]:
    """Lines of a job's log from a byte offset on."""
    path = f"{API}/jobs/{job_id}/log"
    return Call("GET", path, body(LogOut), params={"after": after})
