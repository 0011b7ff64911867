"""Numbers in words, as a person reads them; the same rules as assets/js/format.js."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from recede.client import AccuracyOut


def decimals(n: int) -> int:
    """Decimals of a percentage that n images can tell apart."""
    return max(0, min(2, math.ceil(math.log10(max(n, 1))) - 2))


def percent(share: float, n: int) -> str:
    """A share in [0, 1] with the digits that n images deserve, for example "91.28 %"."""
    return f"{100 * share:.{decimals(n)}f} %"


def accuracy(value: AccuracyOut | None) -> str:
    """An accuracy, or a dash where nothing was measured."""
    return "–" if value is None else percent(value.value, value.n)


def counted(of: Mapping[str, Any] | None) -> str:
    """An accuracy of a manifest, {"correct", "n"}; a dash where it is missing."""
    if not of or not of.get("n"):
        return "–"
    return percent(of["correct"] / of["n"], of["n"])


def count(n: int) -> str:
    """A whole number with thousands apart."""
    return f"{n:,}"


def short_count(n: float) -> str:
    """A large count with three figures and its unit, for example "1.24 M"."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if n >= size:
            return f"{n / size:.3g} {unit}" if n / size < 1000 else f"{n / size:.0f} {unit}"
    return f"{n:.0f}"


def size(n_bytes: int) -> str:
    """Bytes in decimal units, as disks are sold."""
    if n_bytes <= 0:
        return "0 MB"
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= scale:
            value = n_bytes / scale
            return f"{value:.{1 if value < 10 else 0}f} {unit}"
    return f"{n_bytes} B"


def duration(seconds: float) -> str:
    """Seconds in the two largest units that matter."""
    s = max(0, round(seconds))
    if s < 60:
        return f"{s} s"
    if s < 3600:
        return f"{s // 60} min {s % 60:02d} s"
    if s < 86_400:
        return f"{s // 3600} h {s % 3600 // 60:02d} min"
    return f"{s // 86_400} d {s % 86_400 // 3600} h"


def number(value: float) -> str:
    """A parameter as a person types it: 0.03, 1e-05, 3."""
    return f"{value:g}"


def ordinal(n: int) -> str:
    """A place counted from 0, for example "1st"."""
    k = n + 1
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{k}th" if 11 <= k % 100 <= 13 else f"{k}{endings.get(k % 10, 'th')}"
