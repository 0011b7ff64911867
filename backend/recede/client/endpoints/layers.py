"""Requests of the API on the layers of a run over its epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import httpx
import numpy as np
import numpy.typing as npt

from recede.client.endpoints.call import (
    API,
    Call,
    given,
)


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
