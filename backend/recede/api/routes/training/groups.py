"""Groups of runs: submit a grid, list, look, cancel, delete."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query

from recede.api.answers.training.groups import group_out, groups_out
from recede.api.disk import folders
from recede.api.http.cursors import decode_cursor, encode_cursor
from recede.api.http.deps import (
    Ctx,
    Cursor,
    GroupId,
    IdempotencyKey,
)
from recede.api.http.errors import documented
from recede.api.http.first_worker import Offered
from recede.api.rules import (
    disk_space,
    start,
)
from recede.api.rules.grids import expand
from recede.contract.schemas import (
    Deleted,
    GroupAndRuns,
    GroupBody,
    GroupOut,
    Page,
)
from recede.contract.spec.grid import group_name
from recede.store.experiments import groups

router = APIRouter(prefix="/groups", tags=["Groups"])

Limit = Annotated[int, Query(ge=1, le=50, description="Length of a page")]


@router.post("", status_code=201, responses=documented(409, 413, 507))
def create_group(
    services: Offered, body: GroupBody, idempotency_key: IdempotencyKey = None
) -> GroupAndRuns:
    """Queue a training for every combination of the axes. Nothing is queued unless all can be."""
    base, axes = body.spec, body.axes
    with services.store.write() as session:
        row = groups.known(session, idempotency_key, base=base, axes=axes)
        if row is None:
            specs = expand(base, axes, partial(start.checked, services.settings, session))
            disk_space.check_all(services.settings, session, specs)
            row = groups.create(
                session,
                specs,
                name=body.name.strip() or group_name(base, axes),
                base=base,
                axes=axes,
                idempotency_key=idempotency_key,
            )
        answer = group_out(services.settings, session, row)
    return GroupAndRuns(group=answer, runs=answer.runs)


@router.get("")
def list_groups(services: Ctx, limit: Limit = 20, cursor: Cursor = None) -> Page[GroupOut]:
    """Groups, newest first."""
    after = None
    if cursor is not None:
        created_at, group_id = decode_cursor(cursor, float, str)
        after = (created_at, group_id)
    with services.store.read() as session:
        rows = groups.page(session, limit=limit + 1, cursor=after)
        items = groups_out(services.settings, session, rows[:limit])
    last = items[-1] if len(rows) > limit else None
    return Page(items=items, next=last and encode_cursor(last.created_at, last.id))


@router.get("/{group_id}", responses=documented(404))
def get_group(services: Ctx, group_id: GroupId) -> GroupOut:
    """One group with its runs and what its seeds say in common."""
    with services.store.read() as session:
        return group_out(services.settings, session, groups.get(session, group_id))


@router.post("/{group_id}/cancel", responses=documented(404, 409))
def cancel_group(services: Ctx, group_id: GroupId) -> GroupOut:
    """Cancel what is queued for any of its runs and ask what is running to stop."""
    with services.store.write() as session:
        return group_out(services.settings, session, groups.cancel(session, group_id))


@router.delete("/{group_id}", responses=documented(404, 409, 507))
def delete_group(services: Ctx, group_id: GroupId) -> Deleted:
    """Delete a group with all its runs and their files; says how many bytes that freed."""
    with services.store.write() as session:
        run_ids = groups.remove(session, group_id)
    return Deleted(
        freed_bytes=sum(folders.remove(services.settings, run_id) for run_id in run_ids)
    )
