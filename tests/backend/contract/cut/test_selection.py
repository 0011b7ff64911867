"""Selection: invariants of every plan over random networks and snapshots."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recede.contract.cut.selection import (
    importances,
    n_to_remove,
    ranking_keys,
    select,
)
from recede.contract.errors import ImpossiblePlan, UnknownName
from recede.contract.spec.run import Plan
from tests.backend.contract.shapes import (
    ratios,
    shape_of,
    snapshots,
)

scopes = st.sampled_from(["global", "local"])


@given(snapshots(), scopes)
def test_ratio_zero_keeps_every_neuron(snapshot, scope):
    shape, raw = snapshot
    selection = select(shape, raw, Plan(scope=scope, ratio=0))
    assert selection.mask.all()
    assert selection.kept == tuple(shape.sizes)
    assert (selection.removed, selection.ratio, selection.held_at_minimum) == (0, 0.0, ())


@given(snapshots(), scopes, ratios, ratios)
def test_a_larger_ratio_never_keeps_a_neuron_that_a_smaller_one_removes(
    snapshot, scope, first, second
):
    shape, raw = snapshot
    low, high = sorted([first, second])
    few = select(shape, raw, Plan(scope=scope, ratio=low)).mask
    many = select(shape, raw, Plan(scope=scope, ratio=high)).mask
    assert not (many & ~few).any()


@given(snapshots(), st.floats(0, 1.5), st.floats(0, 1.5))
def test_a_larger_threshold_never_keeps_a_neuron_that_a_smaller_one_removes(
    snapshot, first, second
):
    shape, raw = snapshot
    low, high = sorted([first, second])
    few = select(shape, raw, Plan(threshold=low)).mask
    many = select(shape, raw, Plan(threshold=high)).mask
    assert not (many & ~few).any()


@given(snapshots(), scopes, ratios)
def test_every_layer_keeps_its_minimum_and_no_neuron_more_than_asked_goes(snapshot, scope, ratio):
    shape, raw = snapshot
    selection = select(shape, raw, Plan(scope=scope, ratio=ratio))
    for group, kept in zip(shape.groups, selection.kept, strict=True):
        assert group.minimum <= kept <= group.size
    assert selection.kept == tuple(int(p.sum()) for p in shape.split(selection.mask))
    assert selection.removed <= n_to_remove(ratio, shape.n_neurons)


@given(snapshots(), scopes, ratios)
def test_within_a_layer_no_removed_neuron_ranks_above_a_kept_one(snapshot, scope, ratio):
    shape, raw = snapshot
    mask = select(shape, raw, Plan(scope=scope, ratio=ratio)).mask
    keys = ranking_keys(raw, shape.scale)
    for keep, key in zip(shape.split(mask), shape.split(keys), strict=True):
        if keep.all():
            continue
        assert key[~keep].max() <= key[keep].min()


@given(snapshots(), ratios)
def test_without_minima_the_global_ratio_removes_exactly_the_lowest(snapshot, ratio):
    given_shape, raw = snapshot
    shape = shape_of(given_shape.sizes, given_shape.scale, minimum=0)
    mask = select(shape, raw, Plan(ratio=ratio)).mask
    order = np.argsort(ranking_keys(raw, shape.scale), kind="stable")
    removed = order[: n_to_remove(ratio, raw.size)]
    assert set(np.flatnonzero(~mask)) == set(removed)


@given(snapshots(), st.floats(0.001, 0.999))
def test_a_threshold_keeps_exactly_the_importances_above_it(snapshot, threshold):
    given_shape, raw = snapshot
    shape = shape_of(given_shape.sizes, given_shape.scale, minimum=0)
    scores = importances(raw, shape.scale)
    assume(np.abs(scores - threshold).min() > 1e-6)  # beyond float32's rounding of the logit
    mask = select(shape, raw, Plan(threshold=threshold)).mask
    assert np.array_equal(mask, scores > threshold)


@given(snapshots(), st.floats(0.01, 0.99))
def test_a_threshold_equals_the_ratio_that_it_amounts_to(snapshot, threshold):
    shape, raw = snapshot
    scores = importances(raw, shape.scale)
    assume(np.abs(scores - threshold).min() > 1e-6)
    below = int((scores <= threshold).sum())
    assume(below < raw.size)
    by_ratio = select(shape, raw, Plan(ratio=below / raw.size))
    assert np.array_equal(by_ratio.mask, select(shape, raw, Plan(threshold=threshold)).mask)


def test_a_threshold_of_zero_keeps_every_bounded_neuron_and_one_keeps_the_minima():
    shape = shape_of([5, 4])
    raw = np.linspace(-9, 9, 9, dtype=np.float32)
    assert select(shape, raw, Plan(threshold=0)).mask.all()
    assert select(shape, raw, Plan(threshold=1)).kept == (3, 3)
    assert select(shape, raw, Plan(threshold=7.5)).kept == (3, 3)


def test_ties_go_by_layer_then_index():
    shape = shape_of([5, 6], minimum=1)
    mask = select(shape, np.zeros(11, np.float32), Plan(ratio=6 / 11)).mask
    assert mask.tolist() == [False] * 4 + [True] + [False] + [True] * 5


@given(snapshots(), scopes, ratios, st.floats(-5, 5, width=32))
def test_equal_scores_never_empty_a_layer(snapshot, scope, ratio, value):
    shape, raw = snapshot
    selection = select(shape, np.full_like(raw, value), Plan(scope=scope, ratio=ratio))
    assert all(k >= g.minimum for k, g in zip(selection.kept, shape.groups, strict=True))


def test_the_minimum_is_made_of_the_highest_and_nothing_else_goes_in_exchange():
    shape = shape_of([6, 6])
    raw = np.array([1, 6, 2, 5, 3, 4, 10, 11, 12, 13, 14, 15], np.float32)
    selection = select(shape, raw, Plan(ratio=0.5))
    assert selection.mask.tolist() == [False, True, False, True, False, True] + [True] * 6
    assert selection.held_at_minimum == ("conv0",)
    assert selection.ratio == 0.25


def test_a_layer_cut_exactly_to_its_minimum_is_not_called_held():
    selection = select(shape_of([6]), np.arange(6, dtype=np.float32), Plan(ratio=0.5))
    assert selection.kept == (3,)
    assert selection.held_at_minimum == ()


@given(snapshots(), scopes, ratios)
def test_locked_layers_keep_every_channel(snapshot, scope, ratio):
    shape, raw = snapshot
    locks = tuple(group.name for group in shape.groups[::2])
    kept = select(shape, raw, Plan(scope=scope, ratio=ratio, locks=locks)).kept
    assert kept[::2] == tuple(shape.sizes[::2])


@given(snapshots(), scopes, ratios, ratios)
def test_an_override_cuts_its_layer_by_its_own_ratio(snapshot, scope, ratio, own):
    shape, raw = snapshot
    group = shape.groups[-1]
    kept = select(shape, raw, Plan(scope=scope, ratio=ratio, overrides={group.name: own})).kept
    assert kept[-1] == max(group.size - n_to_remove(own, group.size), group.minimum)


def test_the_global_ratio_is_taken_of_the_free_neurons_alone():
    shape = shape_of([10, 10, 10], minimum=0)
    raw = np.concatenate([np.full(10, -9), np.arange(10), np.full(10, -9)]).astype(np.float32)
    plan = Plan(ratio=0.5, locks=("conv0",), overrides={"conv2": 0.2})
    assert select(shape, raw, plan).kept == (10, 5, 8)


@given(snapshots(), ratios)
def test_the_local_ratio_takes_the_same_share_of_every_layer(snapshot, ratio):
    shape, raw = snapshot
    kept = select(shape, raw, Plan(scope="local", ratio=ratio)).kept
    for group, left in zip(shape.groups, kept, strict=True):
        assert left == max(group.size - n_to_remove(ratio, group.size), group.minimum)


@given(st.integers(1, 30_000), st.integers(0, 99))
def test_whole_percentages_remove_what_paper_and_pencil_say(size, percent):
    assert n_to_remove(percent / 100, size) == percent * size // 100


@given(snapshots(), ratios, ratios)
def test_digests_are_equal_exactly_when_the_kept_channels_are(snapshot, first, second):
    shape, raw = snapshot
    one, other = (select(shape, raw, Plan(ratio=ratio)) for ratio in (first, second))
    assert (one.digest == other.digest) == np.array_equal(one.mask, other.mask)


def test_the_digest_is_the_sha_256_of_size_and_packed_bits():
    selection = select(shape_of([8, 4]), np.arange(12, dtype=np.float32), Plan(ratio=0.25))
    packed = bytes([0b00011111, 0b11110000])
    expected = hashlib.sha256((12).to_bytes(8, "little") + packed).hexdigest()
    assert selection.digest == expected


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1), st.sampled_from(["bounded", "plain"]))
def test_ranking_keys_order_neurons_as_their_importances_do(raw, scale):
    raw = np.array(raw, np.float32)
    order = np.argsort(ranking_keys(raw, scale), kind="stable")
    assert (np.diff(importances(raw, scale)[order]) >= 0).all()


def test_importances_are_sigma_of_the_logit_or_the_absolute_scale():
    raw = np.array([-1e4, -2, 0, 2, 1e4], np.float32)
    assert importances(raw, "plain").tolist() == [1e4, 2, 0, 2, 1e4]
    sigma = importances(raw, "bounded")
    assert sigma.tolist() == pytest.approx([0, 1 / (1 + math.e**2), 0.5, 1 / (1 + math.e**-2), 1])


def test_what_does_not_fit_the_network_is_refused_in_words():
    shape = shape_of([4, 4])
    raw = np.zeros(8, np.float32)
    with pytest.raises(ImpossiblePlan, match="7 neurons, the network 8"):
        select(shape, raw[:7], Plan(ratio=0.5))
    for bad in (np.nan, np.inf, -np.inf):
        with pytest.raises(ImpossiblePlan, match="not finite"):
            select(shape, np.array([bad] + [0] * 7, np.float32), Plan(ratio=0.5))
    with pytest.raises(UnknownName) as lock:
        select(shape, raw, Plan(ratio=0.5, locks=("conv9",)))
    assert (lock.value.field, lock.value.hint) == ("plan.locks", "Did you mean 'conv1'?")
    with pytest.raises(UnknownName) as override:
        select(shape, raw, Plan(ratio=0.5, overrides={"head": 0.5}))
    assert override.value.field == "plan.overrides.head"
