"""Trainings that run elsewhere: sent epoch by epoch, any part as often as one likes."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy.orm import Session

from recede.api.answers.training.recordings import recording_out
from recede.api.http.deps import Ctx, Epoch, JobId, RecordingKey
from recede.api.http.errors import documented
from recede.api.rules import recordings as rules
from recede.api.rules import serving as serving_rules
from recede.contract.cut.polarisation import of_snapshot
from recede.contract.errors import InvalidInput, NotFound
from recede.contract.network.shape import NetworkShape
from recede.contract.schemas import (
    CutAnswer,
    CutRequests,
    RecordedCutsBody,
    RecordedEpochBody,
    RecordingBody,
    RecordingOut,
    RecordingStateBody,
    ServingBody,
)
from recede.contract.spec.run import MAX_EPOCHS
from recede.contract.states import State
from recede.store.experiments import history, serving
from recede.store.experiments import recordings as stored

router = APIRouter(prefix="/recordings/{key}", tags=["Recordings"])


@router.put("", responses=documented(404, 413))
def begin_recording(services: Ctx, key: RecordingKey, body: RecordingBody) -> RecordingOut:
    """Show a training that runs elsewhere as a run; the same key again gives the same run.

    The answer says which epochs have arrived, so that the rest can be sent.
    """
    spec = rules.spec_of(body)
    with services.store.write() as session:
        row = stored.begin(
            session,
            key,
            spec=spec,
            metric=body.metric,
            shape=body.network,
            started_at=body.started_at,
        )
        return recording_out(session, row)


@router.get("", responses=documented(404))
def get_recording(services: Ctx, key: RecordingKey) -> RecordingOut:
    """The run that shows a recording, and what of it has arrived."""
    with services.store.read() as session:
        return recording_out(session, stored.get(session, key))


@router.put("/epochs/{epoch}", status_code=204, responses=documented(404, 413))
def put_recorded_epoch(
    services: Ctx, key: RecordingKey, epoch: Epoch, body: RecordedEpochBody
) -> None:
    """Keep one epoch; one that has arrived stays as it is, but for metrics that were missing."""
    if epoch > MAX_EPOCHS:
        raise InvalidInput(f"epoch was {epoch}; at most {MAX_EPOCHS} are kept.", field="epoch")
    with services.store.write() as session:
        row = stored.get(session, key)
        shape = _network(session, row.run_id)
        known = epoch in history.snapshot_epochs(session, row.run_id)
        raw = None if known and not body.scales else rules.scales_of(body.scales, shape)
        stored.put_epoch(
            session,
            row,
            epoch,
            body.metrics,
            at=body.at,
            seconds=body.seconds,
            raw=raw,
            polarisation=None if raw is None or shape is None else of_snapshot(shape, raw),
        )


@router.put("/cuts/{epoch}", status_code=204, responses=documented(404, 413))
def put_recorded_cuts(
    services: Ctx, key: RecordingKey, epoch: Epoch, body: RecordedCutsBody
) -> None:
    """Keep cuts that were measured where the network trains, as points of the epoch's curve."""
    with services.store.write() as session:
        row = stored.get(session, key)
        stored.hear(session, row)
        rules.keep_cuts(session, row, epoch, body.cuts)


@router.put("/state", status_code=204, responses=documented(404, 413))
def set_recording_state(services: Ctx, key: RecordingKey, body: RecordingStateBody) -> None:
    """Say how the training stands; "running" again and again says that it lives."""
    error = None
    if body.state == "failed":
        message = body.error or "The training ended without saying why."
        error = {"code": "recorded_failure", "message": message}
    with services.store.write() as session:
        row = stored.get(session, key)
        stored.set_state(session, row, State(body.state), ended_at=body.ended_at, error=error)


@router.put("/serving", responses=documented(404, 413))
def serve_recording(services: Ctx, key: RecordingKey, body: ServingBody) -> CutRequests:
    """Say that cuts of these epochs are measured on request, again every few seconds.

    The answer is what is asked for now; a request stays in it until it is answered or cancelled.
    """
    with services.store.write() as session:
        asked = serving.serve(session, stored.get(session, key), body.epochs)
        return CutRequests(items=[serving_rules.request_of(session, job) for job in asked])


@router.delete("/serving", status_code=204, responses=documented(404))
def stop_serving(services: Ctx, key: RecordingKey) -> None:
    """Say that no cuts are measured any more; open requests fail, in words."""
    with services.store.write() as session:
        serving.stop(session, stored.get(session, key))


@router.put("/requests/{job_id}", status_code=204, responses=documented(404, 413))
def answer_request(services: Ctx, key: RecordingKey, job_id: JobId, body: CutAnswer) -> None:
    """Answer a request with what was measured, or with why it could not be."""
    with services.store.write() as session:
        serving_rules.keep_answer(session, stored.get(session, key), job_id, body)


def _network(session: Session, run_id: str) -> NetworkShape | None:
    try:
        return history.network(session, run_id)
    except NotFound:
        return None
