"""Latency: the clock is handed in, so the figures are known; the model is left alone."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from recede_worker.core.device.latency import measure_in_turns, measure_latency


def ticking(step_s: float):
    times = itertools.count()
    return lambda: next(times) * step_s


def test_each_pass_after_the_warm_up_is_timed():
    seen = []
    model = nn.Conv2d(3, 4, 1)
    model.register_forward_hook(lambda _m, inputs, _out: seen.append(inputs[0].shape))
    latency = measure_latency(model, (3, 8, 8), 5, "cpu", n=20, warm_up=3, clock=ticking(0.002))
    assert latency.median_ms == pytest.approx(2.0)
    assert latency.p95_ms == pytest.approx(2.0)
    assert (latency.n, latency.batch, latency.device) == (20, 5, "cpu")
    assert latency.threads == torch.get_num_threads()
    assert seen == [(5, 3, 8, 8)] * 23


def test_a_slow_pass_shows_in_the_p95_and_not_in_the_median():
    durations = [1.0] * 18 + [9.0] * 2
    times = [0.0, *itertools.accumulate(t for d in durations for t in (d, 0.0))]
    latency = measure_latency(
        nn.Conv2d(3, 4, 1), (3, 8, 8), 1, "cpu", n=20, warm_up=0, clock=iter(times).__next__
    )
    assert latency.median_ms == pytest.approx(1000)
    assert latency.p95_ms == pytest.approx(9000)


def test_the_model_keeps_its_mode_and_statistics():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).double().train()
    measure_latency(model, (3, 4, 4), 2, "cpu", n=2, warm_up=1)
    assert model.training
    assert model[1].num_batches_tracked == 0


def test_networks_take_turns_and_every_other_round_goes_backwards():
    order = []
    models = [nn.Conv2d(1, 1, 1) for _ in range(3)]
    for name, model in zip("abc", models, strict=True):
        model.register_forward_hook(lambda _m, _i, _o, name=name: order.append(name))
    measured = measure_in_turns(
        models, (1, 2, 2), 1, "cpu", n=3, warm_up=1, clock=ticking(0.001), between=lambda: None
    )
    assert "".join(order) == "abccbaabccba"
    assert [latency.n for latency in measured] == [3, 3, 3]


def test_a_time_limit_ends_the_rounds_but_not_before_the_least():
    measured = measure_in_turns(
        [nn.Conv2d(1, 1, 1)], (1, 2, 2), 1, "cpu", n=500, least=4, limit_s=0.0, warm_up=2
    )
    assert measured[0].n == 4


def test_what_raises_between_two_rounds_ends_the_measurement():
    def stop():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        measure_in_turns([nn.Conv2d(1, 1, 1)], (1, 2, 2), 1, "cpu", between=stop)
