"""Layers over the epochs as compact arrays: what recedes where, and the neurons of one layer."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, Header, Query, Response

from recede.api.answers.training import receding
from recede.api.http.binary import (
    binary,
    not_modified,
    openapi_binary,
)
from recede.api.http.deps import Ctx, RunId
from recede.api.http.errors import documented
from recede.contract.cut.polarisation import AXES
from recede.contract.network.shape import NetworkShape
from recede.store.experiments import history, runs

router = APIRouter(prefix="/runs/{run_id}/layers", tags=["History"])

Tag = Annotated[str | None, Header(alias="If-None-Match", include_in_schema=False)]
_EPOCHS = "X-Epochs: the epochs of the rows"


@router.get(
    "",
    response_class=Response,
    responses=openapi_binary(
        "One number for each epoch and layer: float32, little-endian, epochs × layers in network "
        f"order; NaN where there is none. X-Shape: 'epochs,layers'; {_EPOCHS}"
    )
    | documented(404),
)
def get_layers(
    services: Ctx,
    run_id: RunId,
    measure: Annotated[
        receding.Measure,
        Query(
            description="receded: share of the neurons under `below`; median: median importance; "
            "bimodality: Sarle's coefficient"
        ),
    ] = "receded",
    below: Annotated[
        float, Query(ge=0, le=1, description="Importance under which a neuron has receded")
    ] = 0.1,
    tag: Tag = None,
) -> Response:
    """How each layer recedes over the epochs."""
    shape, epochs = _known(services, run_id)
    headers = _headers(f"{run_id}-{len(epochs)}-{measure}-{below!r}", epochs, len(shape.groups))
    if not_modified(tag, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    with services.store.read() as session:
        if measure == "bimodality":
            found = dict(history.polarisations(session, run_id))
            values = receding.bimodality(shape, [found.get(epoch) for epoch in epochs])
        else:
            raw_EN = history.snapshots(session, run_id)[1][: len(epochs)]
            if measure == "median":
                values = receding.median(shape, raw_EN)
            else:
                values = receding.receded(shape, raw_EN, below)
    return binary(values.astype("<f4").tobytes(), headers)


@router.get(
    "/histograms",
    response_class=Response,
    responses=openapi_binary(
        "Counts: unsigned 16-bit, little-endian, epochs × layers × bins. X-Shape: "
        f"'epochs,layers,bins'; {_EPOCHS}; X-Range: 'low,high'"
    )
    | documented(404),
)
def get_layer_histograms(
    services: Ctx,
    run_id: RunId,
    bins: Annotated[int, Query(ge=2, le=256, description="Bins of one layer")] = 64,
    tag: Tag = None,
) -> Response:
    """Distribution of every layer at every epoch on the logit axis (log10 |γ| if plain)."""
    shape, epochs = _known(services, run_id)
    headers = _headers(f"{run_id}-{len(epochs)}-l{bins}", epochs, len(shape.groups), bins)
    low, high = AXES[shape.scale]
    headers["X-Range"] = f"{low!r},{high!r}"
    if not_modified(tag, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    with services.store.read() as session:
        raw_EN = history.snapshots(session, run_id)[1][: len(epochs)]
    counts: npt.NDArray[np.uint16] = receding.layer_counts(shape, raw_EN, bins)
    return binary(counts.astype("<u2").tobytes(), headers)


@router.get(
    "/history",
    response_class=Response,
    responses=openapi_binary(
        "Raw scales of one layer: float32, little-endian, epochs × channels. "
        f"X-Shape: 'epochs,channels'; {_EPOCHS}"
    )
    | documented(404),
)
def get_layer_history(
    services: Ctx,
    run_id: RunId,
    layer: Annotated[str, Query(max_length=200, description="Name of the layer")],
    tag: Tag = None,
) -> Response:
    """Every neuron of one layer at every epoch."""
    shape, epochs = _known(services, run_id)
    group = history.group(shape, layer)
    headers = _headers(f"{run_id}-{len(epochs)}-h{layer}", epochs, group.size)
    if not_modified(tag, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    with services.store.read() as session:
        raw_EC = history.layer_history(session, run_id, shape, layer)[: len(epochs)]
    return binary(raw_EC.astype("<f4").tobytes(), headers)


def _known(services: Ctx, run_id: str) -> tuple[NetworkShape, list[int]]:
    with services.store.read() as session:
        runs.get(session, run_id)
        return history.network(session, run_id), history.snapshot_epochs(session, run_id)


def _headers(tag: str, epochs: list[int], *shape: int) -> dict[str, str]:
    return {
        "ETag": f'"{tag}"',
        "Cache-Control": "private, no-cache",
        "X-Shape": ",".join(str(size) for size in (len(epochs), *shape)),
        "X-Epochs": ",".join(str(epoch) for epoch in epochs),
    }
