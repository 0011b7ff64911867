"""Numbers as text, with the digits that they deserve.

The browser's formatter follows the same rules: tests/js/format_cases.json holds examples that
both must satisfy. Halves are rounded away from zero, as the browser does it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from recede.client import AccuracyOut

THIN = "\u202f"
"""The narrow no-break space between a number and its unit."""
NOTHING = "–"
"""Stands where nothing was measured."""

_COUNT_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_BYTE_UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def integer(n: float) -> str:
    """A whole number with its thousands separated: "1,234,567"."""
    return f"{math.floor(n + 0.5):,}"


def compact(n: float) -> str:
    """A count with four digits and a unit: "14.73 M", "313.2 M", "960"."""
    return _scaled(n, _COUNT_UNITS, digits=4) or integer(n)


def size(n_bytes: float) -> str:
    """Bytes in decimal units with three digits: "24.6 MB"."""
    return _scaled(n_bytes, _BYTE_UNITS, digits=3) or f"{integer(max(0, n_bytes))}{THIN}B"


def decimals(n: int) -> int:
    """Decimals of a percentage that n images can distinguish: 1 for 180, 2 from 1,001 on."""
    return max(0, min(2, math.ceil(math.log10(max(n, 1))) - 2))


def percent(share: float, n: int) -> str:
    """A share in [0, 1] that was measured on n images: "91.28 %"."""
    return fixed_share(share, decimals(n))


def interval(low: float, high: float, n: int) -> str:
    """An interval of shares that were measured on n images: "91.01 to 92.41 %"."""
    return f"{_fixed(100 * low, decimals(n))} to {percent(high, n)}"


def points(difference: float, n: int) -> str:
    """A difference of two shares in percentage points, with its sign: "−0.12"."""
    text = _fixed(abs(100 * difference), decimals(n))
    sign = "±" if float(text) == 0 else "−" if difference < 0 else "+"
    return sign + text


def share(value: float) -> str:
    """A share of a whole: "50.0 %"; with two decimals under 1 %."""
    return fixed_share(value, 2 if 0 < value < 0.00995 else 1)


def fixed_share(value: float, digits: int) -> str:
    """A share in percent with so many decimals."""
    return f"{_fixed(100 * value, digits)}{THIN}%"


def short_share(value: float) -> str:
    """A chosen share, without trailing zeros: "60 %", "12.5 %"."""
    return f"{round(100 * value, 2):g}{THIN}%"


def accuracy(value: AccuracyOut | None) -> str:
    """An accuracy, or a dash where nothing was measured."""
    return NOTHING if value is None else percent(value.value, value.n)


def manifest_accuracy(of: Mapping[str, Any] | None) -> str:
    """An accuracy of a manifest, {"correct", "n"}; a dash where it is missing."""
    if not of or not of.get("n"):
        return NOTHING
    return percent(of["correct"] / of["n"], of["n"])


def threshold(value: float | None) -> str:
    """A threshold or importance with at most four digits: "0.1235", "4.5e-5"."""
    if value is None:
        return NOTHING
    if value == 0:
        return "0"
    exact = Decimal(value)
    rounded = exact.quantize(Decimal(1).scaleb(exact.adjusted() - 3), ROUND_HALF_UP).normalize()
    if 0 < rounded < Decimal("0.001"):
        exponent = rounded.adjusted()
        return f"{rounded.scaleb(-exponent).normalize():f}e{exponent}"
    return f"{rounded:f}"


def duration(seconds: float) -> str:
    """Seconds in the two largest units that matter: "2 min 41 s"."""
    s = max(0, math.floor(seconds + 0.5))
    if s < 60:
        return f"{s}{THIN}s"
    if s < 3600:
        return f"{s // 60}{THIN}min {s % 60:02d}{THIN}s"
    if s < 86_400:
        return f"{s // 3600}{THIN}h {s % 3600 // 60:02d}{THIN}min"
    return f"{s // 86_400}{THIN}d {s % 86_400 // 3600}{THIN}h"


def number(value: float) -> str:
    """A parameter as it is typed: 0.03, 1e-05, 3."""
    return f"{value:g}"


def ordinal(n: int) -> str:
    """A place counted from 0: "1st"."""
    k = n + 1
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{k}th" if 11 <= k % 100 <= 13 else f"{k}{endings.get(k % 10, 'th')}"


def plural(n: int, one: str, many: str = "") -> str:
    """A count with its noun: "1 layer", "2 layers"; `many` for nouns that take no "s"."""
    return f"{integer(n)} {one if n == 1 else many or one + 's'}"


def _fixed(value: float, digits: int) -> str:
    return f"{Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):f}"


def _scaled(n: float, units: tuple[tuple[float, str], ...], *, digits: int) -> str:
    """n in the largest unit in which it rounds to at least 1; empty if there is none."""
    for scale, unit in units:
        value = n / scale
        if value < 1 - 0.5 * 10.0**-digits:
            continue
        # Digits before the point, of the value as it will be shown.
        whole = next(
            (k for k in range(1, digits) if value < 10**k - 0.5 * 10.0 ** (k - digits)), digits
        )
        return f"{_fixed(value, digits - whole)}{THIN}{unit}"
    return ""
