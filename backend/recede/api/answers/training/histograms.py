"""Distribution of the importances over all epochs: one fixed range, a row of counts per epoch."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from recede.contract.cut.polarisation import AXES
from recede.contract.cut.selection import importances
from recede.contract.errors import UnknownName
from recede.contract.network.shape import NetworkShape

# Letters: E epochs, N neurons, B bins.
FloatArray = npt.NDArray[np.float32]
Axis = Literal["sigma", "logit"]

LOGIT_RANGE = AXES["bounded"]
LOG10_RANGE = AXES["plain"]
_CACHE_BYTES = 32 << 20


@dataclass(frozen=True)
class Histogram:
    """Counts of shape (E, B) and the range that the bins divide evenly."""

    counts_EB: npt.NDArray[np.uint32]
    low: float
    high: float

    def body(self) -> bytes:
        """The counts as unsigned 32-bit little-endian numbers, epoch by epoch."""
        return self.counts_EB.astype("<u4").tobytes()


def of_layer(shape: NetworkShape, raw_EN: FloatArray, layer: str) -> FloatArray:
    """The neurons of one layer; raises UnknownName."""
    start = 0
    for group in shape.groups:
        if group.name == layer:
            return raw_EN[:, start : start + group.size]
        start += group.size
    raise UnknownName("layer", layer, [group.name for group in shape.groups], field="layer")


def compute(raw_EN: FloatArray, scale: str, axis: Axis, bins: int) -> Histogram:
    """Count neurons in bins of one range for all epochs, so that bars never jump.

    Values beyond the range go to the end bins; values that are not numbers are left out.
    """
    low, high = _range(raw_EN, scale, axis)
    counts_EB = np.zeros((len(raw_EN), bins), dtype=np.uint32)
    for row, raw_N in enumerate(raw_EN):  # row by row: 200 × 30,000 in float64 is 48 MB
        values = _values(raw_N[~np.isnan(raw_N)], scale, axis)
        position = (np.clip(values, low, high) - low) / (high - low) * bins
        index = np.minimum(position.astype(np.int64), bins - 1)
        counts_EB[row] = np.bincount(index, minlength=bins)
    return Histogram(counts_EB, low, high)


def _range(raw_EN: FloatArray, scale: str, axis: Axis) -> tuple[float, float]:
    if axis == "logit":
        return LOG10_RANGE if scale == "plain" else LOGIT_RANGE
    if scale != "plain":
        return 0.0, 1.0
    finite = np.abs(raw_EN[np.isfinite(raw_EN)])
    largest = float(finite.max()) if finite.size else 0.0
    return 0.0, largest or 1.0


def _values(raw_N: FloatArray, scale: str, axis: Axis) -> npt.NDArray[np.float64]:
    if axis == "sigma":
        return importances(raw_N, scale)
    wide = raw_N.astype(np.float64)
    if scale != "plain":
        return wide
    with np.errstate(divide="ignore"):
        return np.log10(np.abs(wide))


class HistogramCache:
    """The histograms computed last, by what they were computed from; safe between threads."""

    def __init__(self, limit_bytes: int = _CACHE_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._kept: OrderedDict[tuple[object, ...], Histogram] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...], make: Callable[[], Histogram]) -> Histogram:
        """The histogram of that key, made if it is not known."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            self._kept[key] = made
            while sum(h.counts_EB.nbytes for h in self._kept.values()) > self._limit_bytes:
                self._kept.popitem(last=False)
        return made
