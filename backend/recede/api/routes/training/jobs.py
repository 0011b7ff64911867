"""Jobs: list, look, cancel, read the log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse

from recede.api.answers.training.jobs import job_out, jobs_out
from recede.api.disk import logs
from recede.api.http.cursors import decode_cursor, encode_cursor
from recede.api.http.deps import (
    Ctx,
    Cursor,
    JobId,
    Limit,
)
from recede.api.http.errors import documented
from recede.contract.errors import NotFound
from recede.contract.schemas import (
    JobOut,
    LogOut,
    Page,
)
from recede.contract.states import JobKind, State
from recede.store.queue import jobs

router = APIRouter(prefix="/jobs", tags=["Jobs"])

_MAX_OFFSET = 2**53  # beyond it JSON numbers lose digits


@router.get("")
def list_jobs(
    services: Ctx,
    run_id: Annotated[str | None, Query(pattern="^[a-z0-9]{1,64}$")] = None,
    state: Annotated[State | None, Query(description="Only jobs in this state")] = None,
    kind: Annotated[JobKind | None, Query(description="Only jobs of this kind")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[JobOut]:
    """Jobs, newest first."""
    before = None if cursor is None else decode_cursor(cursor, int)[0]
    with services.store.read() as session:
        rows = jobs.page(
            session, run_id=run_id, state=state, kind=kind, limit=limit + 1, before=before
        )
        items = jobs_out(session, rows[:limit])
    return Page(items=items, next=encode_cursor(items[-1].id) if len(rows) > limit else None)


@router.get("/{job_id}", responses=documented(404))
def get_job(services: Ctx, job_id: JobId) -> JobOut:
    """One job."""
    with services.store.read() as session:
        return job_out(session, jobs.get(session, job_id))


@router.post("/{job_id}/cancel", responses=documented(404, 409))
def cancel_job(services: Ctx, job_id: JobId) -> JobOut:
    """Cancel a queued job, or ask a running one to stop between two batches."""
    with services.store.write() as session:
        return job_out(session, jobs.request_cancel(session, job_id))


@router.get("/{job_id}/log", responses=documented(404))
def read_log(
    services: Ctx,
    job_id: JobId,
    after: Annotated[int, Query(ge=0, le=_MAX_OFFSET, description="Byte offset")] = 0,
) -> LogOut:
    """Lines of the job's log; pass `next` as `after` until `complete`."""
    with services.store.read() as session:
        job = jobs.get(session, job_id)
    ended = State(job.state).is_final  # looked at before the file, so no last line is missed
    return logs.lines(logs.path_of(services.settings, job), after, ended)


@router.get(
    "/{job_id}/log.txt", response_class=FileResponse, responses=documented(404), name="log file"
)
def download_log(services: Ctx, job_id: JobId) -> FileResponse:
    """The whole log as a text file."""
    with services.store.read() as session:
        job = jobs.get(session, job_id)
    path = logs.path_of(services.settings, job)
    if not path.is_file():
        raise NotFound(
            f"Job {job_id} has no log yet; it is {job.state}.", hint="It begins with the job."
        )
    name = f"recede-{job.run_id}-{job.kind}-{job.id}.log"
    return FileResponse(path, filename=name, media_type="text/plain; charset=utf-8")
