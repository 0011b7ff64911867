"""What a run leaves behind epoch by epoch: metrics, network, snapshots, histograms."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from recede.api.answers.training import histograms
from recede.api.answers.training.histograms import Histogram
from recede.api.answers.training.runs import epoch_out
from recede.api.http.binary import (
    binary,
    not_modified,
    openapi_binary,
)
from recede.api.http.deps import (
    MAX_ROW_ID,
    Ctx,
    Epoch,
    RunId,
)
from recede.api.http.errors import documented
from recede.contract.cut.polarisation import DEFINITIONS
from recede.contract.network.shape import NetworkShape
from recede.contract.schemas import (
    EpochOut,
    EpochPolarisation,
    Page,
    PolarisationsOut,
    SnapshotsOut,
)
from recede.contract.states import CheckpointKind
from recede.store.experiments import history, runs
from recede.store.results import evaluations

router = APIRouter(prefix="/runs/{run_id}", tags=["History"])

Tag = Annotated[str | None, Header(alias="If-None-Match", include_in_schema=False)]


@router.get("/epochs", responses=documented(404))
def list_epochs(
    services: Ctx,
    run_id: RunId,
    after: Annotated[int, Query(ge=-1, le=MAX_ROW_ID, description="Only later epochs")] = -1,
) -> Page[EpochOut]:
    """Metrics of the finished epochs; epoch 0 is the untrained network."""
    with services.store.read() as session:
        runs.get(session, run_id)
        rows = history.epochs(session, run_id, after=after)
    return Page(items=[epoch_out(row) for row in rows])


@router.get("/network", responses=documented(404))
def get_network(services: Ctx, run_id: RunId) -> NetworkShape:
    """The prunable layers and what decides the cost of a cut."""
    with services.store.read() as session:
        runs.get(session, run_id)
        return history.network(session, run_id)


@router.get("/snapshots", responses=documented(404))
def list_snapshots(services: Ctx, run_id: RunId) -> SnapshotsOut:
    """Epochs of which importances are kept, and those whose weights can be cut."""
    with services.store.read() as session:
        run = runs.get(session, run_id)
        epochs = history.snapshot_epochs(session, run_id)
        kept = evaluations.checkpoints(session, run_id)
    trained = {row.epoch for row in kept if row.kind == CheckpointKind.TRAINED.value}
    return SnapshotsOut(epochs=epochs, weights=sorted(trained), best_epoch=run.best_epoch)


@router.get(
    "/snapshots/{epoch}",
    response_class=Response,
    responses=openapi_binary("Raw scales of all neurons: float32, little-endian, network order")
    | documented(404),
)
def get_snapshot(services: Ctx, run_id: RunId, epoch: Epoch, tag: Tag = None) -> Response:
    """Raw scales of all prunable neurons at one epoch (γ; the logit for bounded batch norm)."""
    etag = f'"{run_id}-{epoch}"'
    with services.store.read() as session:
        runs.get(session, run_id)
        raw = history.snapshot(session, run_id, epoch)
    headers = {"ETag": etag, "Cache-Control": "private, max-age=31536000, immutable"}
    if not_modified(tag, etag):
        return Response(status_code=304, headers=headers)
    return binary(raw.astype("<f4").tobytes(), headers)


@router.get("/polarisation", responses=documented(404))
def get_polarisation(
    services: Ctx,
    run_id: RunId,
    layers: Annotated[bool, Query(description="Each layer as well")] = False,
) -> PolarisationsOut:
    """How clearly the importances have parted at each epoch, and what each field means.

    `valley` is the natural gap, computed once when the snapshot was stored: a plan with it as
    `threshold` cuts there. Each layer has its own.
    """
    with services.store.read() as session:
        runs.get(session, run_id)
        found = history.polarisations(session, run_id)
    items = [
        EpochPolarisation(
            epoch=epoch, overall=parted["overall"], layers=parted["layers"] if layers else None
        )
        for epoch, parted in found
    ]
    return PolarisationsOut(items=items, definitions=dict(DEFINITIONS))


@router.get(
    "/histograms",
    response_class=Response,
    responses=openapi_binary(
        "Counts: unsigned 32-bit, little-endian, epochs × bins. X-Shape: 'epochs,bins'; "
        "X-Epochs: their numbers; X-Range: 'low,high'"
    )
    | documented(404),
)
def get_histograms(
    services: Ctx,
    run_id: RunId,
    bins: Annotated[int, Query(ge=2, le=2048, description="Bars of one epoch")] = 128,
    axis: Annotated[
        histograms.Axis, Query(description="Importance, or raw scale on a logarithmic axis")
    ] = "sigma",
    layer: Annotated[str | None, Query(max_length=200, description="Only this layer")] = None,
    tag: Tag = None,
) -> Response:
    """Distribution of the importances at every epoch, over one fixed range."""
    with services.store.read() as session:
        runs.get(session, run_id)
        shape = history.network(session, run_id)
        epochs = history.snapshot_epochs(session, run_id)

    def make() -> Histogram:
        with services.store.read() as again:
            _, raw = history.snapshots(again, run_id)
        chosen = raw if layer is None else histograms.of_layer(shape, raw, layer)
        return histograms.compute(chosen[: len(epochs)], shape.scale, axis, bins)

    counted = services.histograms.get((run_id, len(epochs), bins, axis, layer), make)
    etag = f'"{run_id}-{len(epochs)}-{bins}-{axis}-{layer or ""}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "X-Shape": f"{len(epochs)},{bins}",
        "X-Epochs": ",".join(str(epoch) for epoch in epochs),
        "X-Range": f"{counted.low!r},{counted.high!r}",
    }
    if not_modified(tag, etag):
        return Response(status_code=304, headers=headers)
    return binary(counted.body(), headers)
