"""Latency of networks on one device, with the conditions that the figures depend on."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

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
    with torch.inference_mode():
        times_ms = time_in_turns(
            [partial(model, x_NCHW) for model in ready],
            n=n,
            least=least,
            limit_s=limit_s,
            warm_up=warm_up,
            clock=lambda: _now(clock, place),
            between=between,
        )
    return [_summary(each_ms, batch, place) for each_ms in times_ms]


def time_in_turns(
    passes: Sequence[Callable[[], object]],
    *,
    n: int = 50,
    least: int = 10,
    limit_s: float | None = None,
    warm_up: int = 5,
    clock: Callable[[], float] = time.perf_counter,
    between: Callable[[], None] = lambda: None,
) -> list[list[float]]:
    """Milliseconds of each pass of several networks, in turns as `measure_in_turns` says."""
    times_ms: list[list[float]] = [[] for _ in passes]
    started = time.perf_counter()
    for turn in range(warm_up + n):
        late = limit_s is not None and time.perf_counter() - started > limit_s
        if late and turn >= warm_up + least:
            break
        between()
        places = range(len(passes))
        for which in reversed(places) if turn % 2 else places:
            begin = clock()
            passes[which]()
            taken_ms = 1000 * (clock() - begin)
            if turn >= warm_up:
                times_ms[which].append(taken_ms)
    return times_ms


def p95(times_ms: Sequence[float]) -> float:
    """The 95th percentile."""
    return sorted(times_ms)[min(len(times_ms) - 1, int(0.95 * len(times_ms)))]


def _ready(model: nn.Module, place: torch.device) -> nn.Module:
    copied = copy.deepcopy(model).to(place).eval()
    return copied.to(memory_format=torch.channels_last)  # as evaluation runs it


def _summary(times_ms: list[float], batch: int, place: torch.device) -> Latency:
    n = len(times_ms)
    label = torch.cuda.get_device_name(place) if place.type == "cuda" else str(place)
    return Latency(
        statistics.median(times_ms), p95(times_ms), n, batch, label, torch.get_num_threads()
    )


def _now(clock: Callable[[], float], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock()
