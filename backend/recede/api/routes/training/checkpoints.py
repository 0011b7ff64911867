"""Checkpoints: what they are, and their files."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from recede.api.answers.training.checkpoints import checkpoint_out, filename
from recede.api.disk.artifacts import stored_file
from recede.api.http.binary import (
    file_answer,
    not_modified,
    openapi_binary,
)
from recede.api.http.deps import (
    CheckpointId,
    Ctx,
    RunId,
)
from recede.api.http.errors import documented
from recede.contract.errors import UnknownName
from recede.contract.schemas import CheckpointOut, Page
from recede.store.experiments import runs
from recede.store.results import benches, evaluations

router = APIRouter(tags=["Checkpoints"])

Format = Annotated[
    str, Query(alias="format", max_length=40, description="One of the checkpoint's `formats`")
]
Range = Annotated[str | None, Header(alias="Range", max_length=1000, include_in_schema=False)]
Tag = Annotated[str | None, Header(alias="If-None-Match", include_in_schema=False)]


@router.get("/runs/{run_id}/checkpoints", responses=documented(404))
def list_checkpoints(services: Ctx, run_id: RunId) -> Page[CheckpointOut]:
    """Weights of a run that can be downloaded, newest first."""
    with services.store.read() as session:
        runs.get(session, run_id)
        rows = evaluations.checkpoints(session, run_id)
        timed = benches.known(session, [row.id for row in rows])
    return Page(items=[checkpoint_out(row, timed) for row in rows])


@router.get("/checkpoints/{checkpoint_id}", responses=documented(404))
def get_checkpoint(services: Ctx, checkpoint_id: CheckpointId) -> CheckpointOut:
    """One set of weights with its manifest."""
    with services.store.read() as session:
        row = evaluations.checkpoint(session, checkpoint_id)
        return checkpoint_out(row, benches.known(session, [row.id]))


@router.get(
    "/checkpoints/{checkpoint_id}/download",
    response_class=Response,
    responses=openapi_binary("The file; ETag is its SHA-256")
    | {206: {"description": "The range of it that was asked for"}}
    | documented(404, 416, 507),
)
@router.head("/checkpoints/{checkpoint_id}/download", include_in_schema=False)
def download(
    services: Ctx,
    checkpoint_id: CheckpointId,
    format_: Format = "safetensors",
    range_: Range = None,
    tag: Tag = None,
) -> Response:
    """One file of a checkpoint, streamed; ranges can be asked for."""
    with services.store.read() as session:
        row = evaluations.checkpoint(session, checkpoint_id)
    stored = row.files.get(format_)
    if stored is None:
        raise UnknownName("format", format_, row.files, field="format")
    path = stored_file(services.settings.artifacts, stored["path"], stored["size_bytes"])
    etag = f'"{stored["sha256"]}"'
    if not_modified(tag, etag):
        return Response(status_code=304, headers={"ETag": etag})
    return file_answer(path, filename=filename(row, format_), etag=etag, range_=range_)
