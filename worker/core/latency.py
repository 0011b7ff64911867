"""Latency of a network on one device, with the conditions that the figure depends on."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one forward pass of `batch` images over `n` passes."""

    median_ms: float
    p95_ms: float
    n: int
    batch: int
    device: str
    threads: int
    """CPU threads that torch may use."""


def measure_latency(
    model: nn.Module,
    input_shape: tuple[int, int, int],
    batch: int,
    device: str | torch.device,
    *,
    n: int = 30,
    warm_up: int = 5,
    clock: Callable[[], float] = time.perf_counter,
) -> Latency:
    """Median and 95th percentile of `n` passes in evaluation mode, after `warm_up` unmeasured.

    A copy is measured, so the model keeps its device and mode; CUDA is synchronised before
    each reading of the clock (seconds).
    """
    place = torch.device(device)
    measured = copy.deepcopy(model).to(place).eval()
    dtype = next(measured.parameters()).dtype
    x_NCHW = torch.zeros(batch, *input_shape, device=place, dtype=dtype)
    times_ms = []
    with torch.inference_mode():
        for pass_index in range(warm_up + n):
            begin = _now(clock, place)
            measured(x_NCHW)
            if pass_index >= warm_up:
                times_ms.append(1000 * (_now(clock, place) - begin))
    p95_ms = sorted(times_ms)[min(n - 1, int(0.95 * n))]
    label = torch.cuda.get_device_name(place) if place.type == "cuda" else str(place)
    return Latency(statistics.median(times_ms), p95_ms, n, batch, label, torch.get_num_threads())


def _now(clock: Callable[[], float], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock()
