"""How each layer recedes over the epochs: one small array for all epochs and layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from recede.contract.cut.polarisation import AXES, on_axis
from recede.contract.cut.selection import importances
from recede.contract.network.shape import NetworkShape

# Letters: E epochs, N neurons, L layers, B bins.
FloatArray = npt.NDArray[np.float32]
Measure = Literal["receded", "median", "bimodality"]


def receded(shape: NetworkShape, raw_EN: FloatArray, below: float) -> FloatArray:
    """Share of each layer's neurons whose importance is under `below`, of shape (E, L)."""

    def share(importance_EC: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray((importance_EC < below).mean(axis=1), dtype=np.float64)

    return _by_layer(shape, raw_EN, share)


def median(shape: NetworkShape, raw_EN: FloatArray) -> FloatArray:
    """Median importance of each layer, of shape (E, L); NaN where a scale is not a number."""
    return _by_layer(shape, raw_EN, lambda importance_EC: np.median(importance_EC, axis=1))


def bimodality(shape: NetworkShape, stored: list[Mapping[str, Any] | None]) -> FloatArray:
    """Sarle's coefficient of each layer as stored with each snapshot, (E, L); NaN: none."""
    rows = [
        [(found or {}).get("layers", {}).get(group.name, {}).get("bimodality") for found in stored]
        for group in shape.groups
    ]
    return np.array(rows, dtype=np.float32).reshape(len(shape.groups), len(stored)).T.copy()


def layer_counts(shape: NetworkShape, raw_EN: FloatArray, bins: int) -> npt.NDArray[np.uint16]:
    """Neurons of each layer in bins of the logit axis (log10 |γ| of ordinary batch norm).

    Shape (E, L, B). Values beyond the axis go to the end bins; what is not a number is left
    out. A layer has far fewer than 65,536 channels.
    """
    low, high = AXES[shape.scale]
    layers = len(shape.groups)
    layer_N = np.repeat(np.arange(layers), shape.sizes)
    counts_ELB = np.zeros((len(raw_EN), layers * bins), dtype=np.uint16)
    for row, raw_N in enumerate(raw_EN):  # row by row: all of it in float64 is 48 MB
        known_N = ~np.isnan(raw_N)
        place = (on_axis(raw_N[known_N], shape.scale) - low) / (high - low) * bins
        index = np.minimum(place.astype(np.int64), bins - 1) + layer_N[known_N] * bins
        counts_ELB[row] = np.bincount(index, minlength=layers * bins)
    return counts_ELB.reshape(len(raw_EN), layers, bins)


def _by_layer(
    shape: NetworkShape,
    raw_EN: FloatArray,
    value: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]],
) -> FloatArray:
    ends = np.cumsum(shape.sizes)
    columns = [
        value(importances(raw_EN[:, end - size : end], shape.scale))
        for end, size in zip(ends, shape.sizes, strict=True)
    ]
    return np.stack(columns, axis=1).astype(np.float32)
