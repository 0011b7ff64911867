"""What every benchmark prints: machine, n, medians with their spread, and ratios."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path


def machine() -> str:
    """Processor, cores and Python in one line."""
    system = f"{platform.system()} {platform.machine()}"
    return f"{_processor()}, {os.cpu_count()} cores, {system}, Python {platform.python_version()}"


def interleaved(n: int, *candidates: Callable[[], object]) -> list[list[float]]:
    """Seconds of n calls of each candidate, taken in turns after one call to warm up.

    In turns, so that a machine that slows down meanwhile slows all of them alike.
    """
    for candidate in candidates:
        candidate()
    seconds: list[list[float]] = [[] for _ in candidates]
    for _ in range(n):
        for taken, candidate in zip(seconds, candidates, strict=True):
            start = time.perf_counter()
            candidate()
            taken.append(time.perf_counter() - start)
    return seconds


def spread(seconds: Sequence[float], unit: float = 1e-3) -> str:
    """Median with the middle half of all values: "12.3 (11.9 to 13.0)", in `unit` seconds."""
    low, median, high = statistics.quantiles(seconds, n=4)
    return f"{median / unit:.3g} ({low / unit:.3g} to {high / unit:.3g})"


def ratio(slow: Sequence[float], fast: Sequence[float]) -> float:
    """How many times the second median goes into the first."""
    return statistics.median(slow) / statistics.median(fast)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"
