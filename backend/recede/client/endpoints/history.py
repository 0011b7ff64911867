"""Requests on what a run records at each epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import httpx
import numpy as np
import numpy.typing as npt

from recede.client.endpoints.call import (
    API,
    Call,
    body,
    given,
    read_float32,
)
from recede.contract.network.shape import NetworkShape
from recede.contract.schemas import (
    EpochOut,
    Page,
    PolarisationsOut,
    SnapshotsOut,
)


@dataclass(frozen=True)
class Histograms:
    """Counts of shape (epochs, bins) over one fixed range."""

    counts: npt.NDArray[np.uint32]
    epochs: list[int]
    low: float
    high: float


@dataclass(frozen=True)
class OverEpochs:
    """Values of shape (epochs, …) and the epochs of the rows."""

    values: npt.NDArray[np.float32]
    epochs: list[int]


@dataclass(frozen=True)
class LayerHistograms:
    """Counts of shape (epochs, layers, bins) over one fixed range."""

    counts: npt.NDArray[np.uint16]
    epochs: list[int]
    low: float
    high: float


def epochs(run_id: str, *, after: int | None = None) -> Call[Page[EpochOut]]:
    """Metrics of the epochs with a larger number than `after`."""
    path = f"{API}/runs/{run_id}/epochs"
    return Call("GET", path, body(Page[EpochOut]), params=given(after=after))


def network(run_id: str) -> Call[NetworkShape]:
    """The layers of a run's network and what decides their cost."""
    return Call("GET", f"{API}/runs/{run_id}/network", body(NetworkShape))


def snapshots(run_id: str) -> Call[SnapshotsOut]:
    """Which epochs have importances, and which have weights."""
    return Call("GET", f"{API}/runs/{run_id}/snapshots", body(SnapshotsOut))


def snapshot(run_id: str, epoch: int) -> Call[npt.NDArray[np.float32]]:
    """Raw scales of all prunable neurons at one epoch, in network order."""
    return Call("GET", f"{API}/runs/{run_id}/snapshots/{epoch}", read_float32)


def polarisation(run_id: str, *, layers: bool = False) -> Call[PolarisationsOut]:
    """How clearly the importances have parted, epoch by epoch; with `layers` for each layer."""
    path = f"{API}/runs/{run_id}/polarisation"
    return Call("GET", path, body(PolarisationsOut), params={"layers": layers})


def histograms(
    run_id: str,
    *,
    bins: int = 128,
    axis: Literal["sigma", "logit"] = "sigma",
    layer: str | None = None,
) -> Call[Histograms]:
    """Distribution of the importances over all epochs."""
    params = given(bins=bins, axis=axis, layer=layer)
    return Call("GET", f"{API}/runs/{run_id}/histograms", _read_histograms, params=params)


def layers(
    run_id: str,
    *,
    measure: Literal["receded", "median", "bimodality"] = "receded",
    below: float | None = None,
) -> Call[OverEpochs]:
    """One number for each epoch and layer, for example the share that has receded."""
    params = given(measure=measure, below=below)
    return Call("GET", f"{API}/runs/{run_id}/layers", _read_values, params=params)


def layer_history(run_id: str, layer: str) -> Call[OverEpochs]:
    """Raw scales of one layer at every epoch, of shape (epochs, channels)."""
    path = f"{API}/runs/{run_id}/layers/history"
    return Call("GET", path, _read_values, params={"layer": layer})


def layer_histograms(run_id: str, *, bins: int = 64) -> Call[LayerHistograms]:
    """Distribution of every layer at every epoch."""
    path = f"{API}/runs/{run_id}/layers/histograms"
    return Call("GET", path, _read_counts, params={"bins": bins})


def _read_histograms(response: httpx.Response) -> Histograms:
    shape = [int(part) for part in response.headers["X-Shape"].split(",")]
    low, high = (float(part) for part in response.headers["X-Range"].split(","))
    epochs_ = [int(part) for part in response.headers["X-Epochs"].split(",") if part]
    counts = np.frombuffer(response.content, dtype="<u4").reshape(shape).astype(np.uint32)
    return Histograms(counts, epochs_, low, high)


def _read_values(response: httpx.Response) -> OverEpochs:
    values = np.frombuffer(response.content, dtype="<f4").astype(np.float32)
    return OverEpochs(
        values.reshape(_numbers(response, "X-Shape")), _numbers(response, "X-Epochs")
    )


def _read_counts(response: httpx.Response) -> LayerHistograms:
    counts = np.frombuffer(response.content, dtype="<u2").astype(np.uint16)
    low, high = (float(part) for part in response.headers["X-Range"].split(","))
    shaped = counts.reshape(_numbers(response, "X-Shape"))
    return LayerHistograms(shaped, _numbers(response, "X-Epochs"), low, high)


def _numbers(response: httpx.Response, header: str) -> list[int]:
    return [int(part) for part in response.headers[header].split(",") if part]
