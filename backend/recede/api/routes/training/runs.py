"""Runs: submit, list, rename, delete, cancel, resume."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from recede.api.answers.training import forecast, reach
from recede.api.answers.training.jobs import job_out
from recede.api.answers.training.runs import run_out, runs_out
from recede.api.disk import folders
from recede.api.http.cursors import decode_cursor, encode_cursor
from recede.api.http.deps import (
    Ctx,
    Cursor,
    IdempotencyKey,
    Limit,
    RunId,
)
from recede.api.http.errors import documented
from recede.api.http.first_worker import Offered
from recede.api.rules import (
    disk_space,
    protected_layers,
    start,
)
from recede.api.rules.recordings import check_trained_here
from recede.contract.errors import Conflict
from recede.contract.schemas import (
    Deleted,
    JobAnswer,
    Page,
    RunAndJob,
    RunOut,
    RunPatch,
    SpecCheck,
)
from recede.contract.spec import recommend
from recede.contract.spec.run import RunSpec, Text
from recede.contract.states import State
from recede.store.experiments import runs
from recede.store.queue import jobs, reaches, workers

router = APIRouter(prefix="/runs", tags=["Runs"])


@router.post("", status_code=201, responses=documented(409, 413, 507))
def create_run(
    services: Offered, spec: RunSpec, idempotency_key: IdempotencyKey = None
) -> RunAndJob:
    """Queue a training. Nothing is queued unless everything in it can be used."""
    with services.store.write() as session:
        checked = start.checked(services.settings, session, spec)
        disk_space.check(services.settings, session, checked)
        run, job = runs.create(session, checked, idempotency_key=idempotency_key)
        return RunAndJob(run=run_out(services.settings, session, run), job=job_out(session, job))


@router.post("/check", responses=documented(409, 413, 507))
def check_run(services: Offered, spec: RunSpec) -> SpecCheck:
    """What would be queued for this spec, and why; refuses what a submission would refuse."""
    with services.store.read() as session:
        checked = start.checked(services.settings, session, spec)
        catalog = workers.catalog(session)
        disk = disk_space.check(services.settings, session, checked)
        expected = forecast.of(session, catalog, checked)
        request = reach.request_of(catalog, checked)
        known = None if request is None else reach.of(session, request, checked)
        asks = request is not None and reaches.is_due(session, request)
    if request is not None and asks:
        with services.store.write() as session:
            reaches.ask(session, request)
    return SpecCheck(
        spec=checked,
        steps=recommend.steps(catalog, checked),
        reasons=recommend.reasons(catalog, spec, checked),
        disk=disk,
        forecast=expected,
        reach=known,
    )


@router.get("")
def list_runs(
    services: Ctx,
    state: Annotated[State | None, Query(description="Only runs in this state")] = None,
    search: Annotated[Text, Query(max_length=120, description="Part of the name")] = "",
    group: Annotated[
        str | None, Query(pattern="^[a-z0-9]{1,64}$", description="Only runs of this group")
    ] = None,
    parent: Annotated[
        str | None,
        Query(pattern="^[a-z0-9]{1,64}$", description="Only runs that started from its weights"),
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[RunOut]:
    """Runs, newest first."""
    after = None
    if cursor is not None:
        created_at, run_id = decode_cursor(cursor, float, str)
        after = (created_at, run_id)
    with services.store.read() as session:
        rows = runs.page(
            session,
            state=state,
            search=search,
            group=group,
            parent=parent,
            limit=limit + 1,
            cursor=after,
        )
        items = runs_out(services.settings, session, rows[:limit])
    last = items[-1] if len(rows) > limit else None
    return Page(items=items, next=last and encode_cursor(last.created_at, last.id))


@router.get("/{run_id}", responses=documented(404))
def get_run(services: Ctx, run_id: RunId) -> RunOut:
    """One run."""
    with services.store.read() as session:
        return run_out(services.settings, session, runs.get(session, run_id))


@router.patch("/{run_id}", responses=documented(404, 409, 413))
def update_run(services: Ctx, run_id: RunId, patch: RunPatch) -> RunOut:
    """Rename a run, change its notes, or say which layers no plan of it may cut."""
    with services.store.write() as session:
        if patch.protected is not None:
            protected_layers.protect(session, runs.get(session, run_id), patch.protected)
        row = runs.rename(session, run_id, name=patch.name, notes=patch.notes)
        return run_out(services.settings, session, row)


@router.delete("/{run_id}", responses=documented(404, 409, 507))
def delete_run(services: Ctx, run_id: RunId) -> Deleted:
    """Delete a run with its files; says how many bytes that freed."""
    with services.store.write() as session:
        runs.remove(session, run_id)
    return Deleted(freed_bytes=folders.remove(services.settings, run_id))


@router.post("/{run_id}/cancel", responses=documented(404, 409))
def cancel_run(services: Ctx, run_id: RunId) -> RunOut:
    """Cancel what is queued for a run and ask what is running to stop."""
    with services.store.write() as session:
        run = runs.get(session, run_id)
        check_trained_here(run, "cancelled")
        active = jobs.active(session, run_id)
        if not active:
            raise Conflict(
                f"Run {run_id} is {run.state} and has no work queued or running.",
                hint="There is nothing to cancel.",
            )
        for job in active:
            jobs.request_cancel(session, job.id)
        session.refresh(run)
        return run_out(services.settings, session, run)


@router.post("/{run_id}/resume", status_code=202, responses=documented(404, 409))
def resume_run(services: Ctx, run_id: RunId) -> JobAnswer:
    """Queue a failed or cancelled run again; it goes on from its last finished epoch."""
    with services.store.write() as session:
        check_trained_here(runs.get(session, run_id), "resumed")
        return JobAnswer(job=job_out(session, jobs.resume(session, run_id)))
