"""Which weights stay: best and last always, others evenly spread and within their budget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recede.contract.errors import StorageProblem
from recede.contract.spec.kept_weights import (
    MB,
    kept,
    megabytes,
    require_room,
    room,
    room_of_all,
    stride,
)
from recede.contract.spec.run import Init, RunSpec

SPEC = RunSpec(dataset="digits", architecture="vgg11", method="rni", epochs=40)


def walked(epochs: int, n_bytes: int, budget: int, best: int = 1) -> set[int]:
    """What is left after a training that drops weights epoch by epoch."""
    there: set[int] = set()
    for epoch in range(1, epochs + 1):
        there.add(epoch)
        always = {epoch, min(best, epoch)}
        there = kept(there, always=always, n_bytes=n_bytes, budget=budget)
        others = there - always
        assert len(others) * n_bytes <= budget
    return there


@given(
    epochs=st.integers(1, 300),
    n_bytes=st.integers(1, 50),
    budget=st.integers(0, 500),
    best=st.integers(1, 300),
)
def test_kept_epochs_are_evenly_spread_and_never_over_budget(epochs, n_bytes, budget, best):
    best = min(best, epochs)
    left = walked(epochs, n_bytes, budget, best)
    assert {best, epochs} <= left
    k = stride(epochs, n_bytes, budget)
    every = set() if k is None else set(range(k, epochs + 1, k))
    assert left == every | {best, epochs}


@given(last=st.integers(1, 10_000), n_bytes=st.integers(1, 100), budget=st.integers(0, 10_000))
def test_the_stride_is_a_power_of_two_and_only_grows(last, n_bytes, budget):
    now, later = stride(last, n_bytes, budget), stride(last + 1, n_bytes, budget)
    if now is not None:
        assert now & (now - 1) == 0
        assert last // now * n_bytes <= budget
        assert now == 1 or last // (now // 2) * n_bytes > budget
        assert later is None or later >= now


def test_a_disk_without_room_for_the_earlier_epochs_is_warned_of():
    found = room(SPEC, 10 * MB, 80 * MB)
    assert found.least < found.free < found.least + found.earlier
    words = require_room(found)
    assert words is not None
    assert "80.0 MB of disk are free" in words


def test_a_disk_with_room_for_all_is_not_spoken_of():
    assert require_room(room(SPEC, MB, 1000 * MB)) is None


def test_a_disk_without_room_for_the_best_and_the_last_epoch_is_refused():
    with pytest.raises(StorageProblem) as refusal:
        require_room(room(SPEC, 10 * MB, 20 * MB))
    assert refusal.value.details["free_bytes"] == 20 * MB
    assert megabytes(refusal.value.details["needed_bytes"]) in refusal.value.message


def test_no_disk_for_earlier_weights_means_none_are_planned():
    spec = SPEC.model_copy(update={"keep_weights_mb": 0})
    assert room(spec, MB, 0).earlier == 0


def test_weights_that_were_given_need_room_of_their_own():
    given = SPEC.model_copy(update={"init": Init(file="a.pt")})
    assert room(given, MB, 0).least == room(SPEC, MB, 0).least + MB
    assert room(given, MB, 0).stays == room(SPEC, MB, 0).stays + MB


def test_a_run_that_has_begun_needs_room_for_one_more_epoch_only():
    spec = SPEC.model_copy(update={"epochs": 40})
    fresh, begun = (room(spec, MB, 0, begun=begun) for begun in (False, True))
    assert begun.least < fresh.least
    assert begun.earlier == 0
    assert fresh.earlier == 40 * MB


def test_runs_after_one_another_need_what_stays_of_each_and_room_to_train_one():
    one = room(SPEC, MB, 1000 * MB)
    assert room_of_all([one]).least == one.least
    three = room_of_all([one] * 3)
    assert one.stays < one.least
    assert three.least == 2 * one.stays + one.least
    assert three.earlier == 3 * one.earlier


def test_runs_that_fit_alone_but_not_together_are_refused_together():
    one = room(SPEC, 10 * MB, 90 * MB)
    require_room(one)
    with pytest.raises(StorageProblem, match="These 4 runs need") as refusal:
        require_room(room_of_all([one] * 4))
    assert "submit them again" in str(refusal.value.hint)
