"""Latency of networks on one device, with the conditions that the figures depend on."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


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
    measured = measure_in_turns(
        [model], input_shape, batch, device, n=n, warm_up=warm_up, clock=clock
    )
    return measured[0]


def measure_in_turns(
    models: Sequence[nn.Module],
    input_shape: tuple[int, int, int],
    batch: int,
    device: str | torch.device,
    *,
    n: int = 50,
    least: int = 10,
    limit_s: float | None = None,
    warm_up: int = 5,
    clock: Callable[[], float] = time.perf_counter,
    between: Callable[[], None] = lambda: None,
) -> list[Latency]:
    """The latency of several networks, one pass of each in turns: what drifts, drifts for all.

    Every other round goes backwards, so that none always follows the same one. After `limit_s`
    seconds (warm-up included) no round begins beyond the `least` ones. `between` is called
    before each round, unmeasured.
    """
    place = torch.device(device)
    ready = [_ready(model, place) for model in models]
    dtype = next(models[0].parameters()).dtype
    x_NCHW = torch.zeros(batch, *input_shape, device=place, dtype=dtype)
    x_NCHW = x_NCHW.contiguous(memory_format=torch.channels_last)
    times_ms: list[list[float]] = [[] for _ in models]
    started = time.perf_counter()
    with torch.inference_mode():
        for turn in range(warm_up + n):
            late = limit_s is not None and time.perf_counter() - started > limit_s
            if late and turn >= warm_up + least:
                break
            between()
            places = range(len(ready))
            for which in reversed(places) if turn % 2 else places:
                taken_ms = _pass(ready[which], x_NCHW, clock)
                if turn >= warm_up:
                    times_ms[which].append(taken_ms)
    return [_summary(each_ms, batch, place) for each_ms in times_ms]


def _ready(model: nn.Module, place: torch.device) -> nn.Module:
    copied = copy.deepcopy(model).to(place).eval()
    return copied.to(memory_format=torch.channels_last)  # as evaluation runs it


def _pass(model: nn.Module, x_NCHW: Tensor, clock: Callable[[], float]) -> float:
    begin = _now(clock, x_NCHW.device)
    model(x_NCHW)
    return 1000 * (_now(clock, x_NCHW.device) - begin)


def _summary(times_ms: list[float], batch: int, place: torch.device) -> Latency:
    n = len(times_ms)
    p95_ms = sorted(times_ms)[min(n - 1, int(0.95 * n))]
    label = torch.cuda.get_device_name(place) if place.type == "cuda" else str(place)
    return Latency(statistics.median(times_ms), p95_ms, n, batch, label, torch.get_num_threads())


def _now(clock: Callable[[], float], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock()
