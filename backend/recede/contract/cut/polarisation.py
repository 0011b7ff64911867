"""Polarisation: how clearly the importances of one snapshot have parted into weak and strong.

Everything is counted on one fixed axis for each kind of scale: the logit w of bounded batch
norm, clipped to ±12, and log10 |γ| of ordinary batch norm, clipped to −6 to 1. The
result is stored with each snapshot: its `valley` is the natural gap of page, API and CLI.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from recede.contract.cut.selection import (
    FloatArray,
    importances,
    ranking_keys,
)
from recede.contract.network.shape import NetworkShape

Floats = npt.NDArray[np.float64]

AXES: Mapping[str, tuple[float, float]] = {"bounded": (-12.0, 12.0), "plain": (-6.0, 1.0)}
"""Ends of the axis for each scale; what lies beyond is counted at the end."""
TWO_MODES = 5 / 9
"""Bimodality of a uniform distribution: above it two modes are likely."""
LEAST_NEURONS = 4
"""The corrected kurtosis needs at least four values."""

_BINS = 240
_WIDTH = _BINS // 40  # standard deviation of the smoothing, in bins
_DEPTH = 0.5
_LEAST_SHARE = 0.05
_LEVEL = 1e-9

DEFINITIONS: Mapping[str, str] = {
    "n": "Number of prunable neurons that were counted; importances that are not numbers are "
    "left out.",
    "below_001": "Share of the neurons whose importance, σ(w) of bounded or |γ| of ordinary batch "
    "norm, is under 0.01.",
    "below_01": "Share of the neurons whose importance is under 0.1.",
    "above_05": "Share of the neurons whose importance is over 0.5.",
    "bimodality": "Sarle's bimodality coefficient (g² + 1) / (k + 3 (n − 1)² / ((n − 2)(n − 3))) "
    "with sample skewness g and excess kurtosis k, both corrected for finite samples (SAS; "
    "Pfister et al., Frontiers in Psychology 4:700, 2013), of the logit w clipped to ±12, or of "
    "log10 |γ| clipped to −6 to 1; above 5/9 ≈ 0.556, that of a uniform distribution, two modes "
    "are likely, though strong skewness alone raises it too; null under 4 neurons or if all are "
    "equal.",
    "valley": "The natural gap between weak and strong neurons, as an importance: on the axis of "
    "`bimodality`, counted in 240 bins and smoothed with a Gaussian of a fortieth of the axis, "
    "the point that lies deepest under the lower of the highest humps on its two sides; null "
    "unless it is at most half as high as that hump with at least 5 % of the neurons on either "
    "side (a definition of our own), or under 4 neurons.",
}
"""What each field of a Polarisation is, in one sentence with its source."""


class Polarisation(BaseModel):
    """Polarisation of some neurons; DEFINITIONS says each field. Shares are 0 to 1."""

    model_config = ConfigDict(frozen=True)

    n: int
    below_001: float
    below_01: float
    above_05: float
    bimodality: float | None
    valley: float | None

    @classmethod
    def of(cls, raw: FloatArray, scale: str) -> Polarisation:
        """Of these raw scales (γ or w); their order does not matter."""
        known = np.sort(ranking_keys(raw[~np.isnan(raw)], scale))
        share = importances(known, scale)
        n = known.size
        return cls(
            n=n,
            below_001=_share(share < 0.01),
            below_01=_share(share < 0.1),
            above_05=_share(share > 0.5),
            bimodality=bimodality(on_axis(known, scale)),
            valley=valley(known, scale) if n >= LEAST_NEURONS else None,
        )


def of_snapshot(shape: NetworkShape, raw: FloatArray) -> dict[str, Any]:
    """What is stored with a snapshot: {"overall": {…}, "layers": {name: {…}}}."""
    layers = {
        group.name: Polarisation.of(part, shape.scale).model_dump()
        for group, part in zip(shape.groups, shape.split(raw), strict=True)
    }
    return {"overall": Polarisation.of(raw, shape.scale).model_dump(), "layers": layers}


def on_axis(raw: FloatArray, scale: str) -> Floats:
    """Place of each raw scale on the axis that it is counted on."""
    wide = raw.astype(np.float64)
    if scale == "plain":
        with np.errstate(divide="ignore"):
            wide = np.log10(np.abs(wide))
    return np.clip(wide, *AXES[scale])


def bimodality(values: Floats) -> float | None:
    """Sarle's coefficient in (0, 1) with the corrections for finite samples; see DEFINITIONS."""
    n = values.size
    spread = float(np.ptp(values)) if n >= LEAST_NEURONS else 0.0
    if spread == 0.0:
        return None
    centred = (values - values.mean()) / spread
    second, third, fourth = (float(np.mean(centred**power)) for power in (2, 3, 4))
    skewness = math.sqrt(n * (n - 1)) / (n - 2) * third / (second * math.sqrt(second))
    pairs = (n - 2) * (n - 3)
    kurtosis = (n - 1) / pairs * ((n + 1) * (fourth / second**2 - 3) + 6)
    return float((skewness**2 + 1) / (kurtosis + 3 * (n - 1) ** 2 / pairs))


def valley(raw: FloatArray, scale: str) -> float | None:
    """The natural gap: the valley between the two humps, an importance of three digits.

    240 bins, smoothed with a Gaussian of a fortieth of the axis; of all points the one that lies
    deepest under the lower of the highest humps on its two sides. None where there is one hump
    only: unless it lies at most half as high, with 5 % of the neurons on either side.
    """
    values = on_axis(raw[~np.isnan(raw)], scale)
    if not values.size:
        return None
    low, high = AXES[scale]
    place = ((values - low) / (high - low) * _BINS).astype(np.int64)
    counts = np.bincount(np.minimum(place, _BINS - 1), minlength=_BINS).astype(np.float64)
    curve = _smooth(counts)
    left = np.maximum.accumulate(curve)
    right = np.maximum.accumulate(curve[::-1])[::-1]
    hump = np.minimum(left, right)
    share = (np.cumsum(counts) - counts / 2) / values.size
    splits = (share >= _LEAST_SHARE) & (share <= 1 - _LEAST_SHARE)
    depth = np.where(splits & (curve <= _DEPTH * hump), hump - curve, 0.0)
    deepest = int(np.argmax(depth))
    if depth[deepest] <= 0:
        return None
    at = low + (_middle(curve, deepest) + 0.5) / _BINS * (high - low)
    importance = 10**at if scale == "plain" else 1 / (1 + math.exp(-at))
    return float(f"{importance:.3g}")


def _smooth(counts: Floats) -> Floats:
    """Gaussian smoothing; what would leave the axis is mirrored back."""
    reach = 3 * _WIDTH
    kernel = [math.exp(-(step**2) / (2 * _WIDTH**2)) for step in range(-reach, reach + 1)]
    padded = np.pad(counts, reach, mode="symmetric")
    total = np.zeros(_BINS)
    for step, weight in enumerate(kernel):
        total += weight * padded[step : step + _BINS]
    return total / sum(kernel)


def _middle(curve: Floats, at: int) -> float:
    """Middle of the run of bins around `at` that are as low."""
    higher = np.flatnonzero(curve > curve[at] + _LEVEL)
    before, after = higher[higher < at], higher[higher > at]
    left = int(before[-1]) + 1 if before.size else 0
    right = int(after[0]) - 1 if after.size else _BINS - 1
    return (left + right) / 2


def _share(chosen: npt.NDArray[np.bool_]) -> float:
    return float(chosen.sum()) / chosen.size if chosen.size else 0.0
