"""What a plan adds to a ratio: rounding, minimum, criterion, bias, locks, protected layers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from recede.contract.cut.protected import check_layers, with_protected
from recede.contract.cut.selection import ranking_keys, select
from recede.contract.errors import ImpossiblePlan, UnknownName
from recede.contract.spec.run import Plan
from tests.backend.contract.shapes import (
    ratios,
    shape_of,
    snapshots,
)

scopes = st.sampled_from(["global", "local"])
multiples = st.sampled_from([1, 2, 3, 4, 8, 16, 1024])
minima = st.one_of(st.none(), st.integers(1, 20))


@given(snapshots(), scopes, ratios, multiples, minima)
def test_every_layer_keeps_a_multiple_or_all_and_at_least_the_minimum(
    snapshot, scope, ratio, multiple, minimum
):
    shape, raw = snapshot
    plan = Plan(scope=scope, ratio=ratio, round_to=multiple, min_channels=minimum)
    cut = select(shape, raw, plan)
    for group, kept in zip(shape.groups, cut.kept, strict=True):
        assert kept % multiple == 0 or kept == group.size
        assert kept >= min(group.size, group.minimum if minimum is None else minimum)


@given(snapshots(), scopes, ratios, multiples)
def test_rounding_adds_the_fewest_channels_and_the_highest_ranked(
    snapshot, scope, ratio, multiple
):
    shape, raw = snapshot
    plain = select(shape, raw, Plan(scope=scope, ratio=ratio))
    rounded = select(shape, raw, Plan(scope=scope, ratio=ratio, round_to=multiple))
    assert not (plain.mask & ~rounded.mask).any()
    grown = []
    parts = (shape.split(array) for array in (rounded.mask, ranking_keys(raw, shape.scale)))
    for group, before, after, keep, key in zip(
        shape.groups, plain.kept, rounded.kept, *parts, strict=True
    ):
        assert after == min(group.size, math.ceil(before / multiple) * multiple)
        grown += [group.name] if after > before else []
        if not keep.all():
            assert key[~keep].max() <= key[keep].min()
    assert rounded.rounded_up == tuple(grown)
    assert rounded.held_at_minimum == plain.held_at_minimum


def test_a_layer_held_at_its_minimum_is_named_apart_from_one_that_rounding_made_larger():
    shape = shape_of([16, 16], minimum=3)
    raw = np.concatenate([np.full(16, -5), np.arange(16)]).astype(np.float32)
    cut = select(shape, raw, Plan(ratio=0.75, round_to=8))
    assert cut.kept == (8, 8)
    assert cut.held_at_minimum == ("conv0",)
    assert cut.rounded_up == ("conv0",)  # 3 by its minimum, 8 by rounding; the other has 8 anyway


def test_a_plan_may_lower_the_minimum_of_the_layers():
    shape = shape_of([8, 8])
    raw = np.arange(16, dtype=np.float32)
    assert select(shape, raw, Plan(ratio=0.999)).kept == (3, 3)
    assert select(shape, raw, Plan(ratio=0.999, min_channels=1)).kept == (1, 1)
    assert select(shape, raw, Plan(ratio=0.999, min_channels=64)).kept == (8, 8)


@pytest.mark.parametrize("how", [{"ratio": 0.999}, {"threshold": 1.0}, {"threshold": 1e30}])
def test_a_plan_that_asks_for_everything_still_keeps_the_minima(how):
    shape = shape_of([5, 9, 2])
    cut = select(shape, np.zeros(16, np.float32), Plan(**how))
    assert cut.kept == (3, 3, 2)
    assert cut.held_at_minimum == ("conv0", "conv1", "conv2")


def test_locks_hold_against_rounding_minimum_and_ratio():
    shape = shape_of([10, 10])
    plan = Plan(ratio=0.9, locks=("conv0",), round_to=4, min_channels=1)
    assert select(shape, np.zeros(20, np.float32), plan).kept == (10, 4)


def test_a_plan_with_every_layer_locked_removes_nothing():
    shape = shape_of([4, 4])
    cut = select(shape, np.zeros(8, np.float32), Plan(ratio=0.9, locks=("conv0", "conv1")))
    assert cut.removed == 0


@given(snapshots(), scopes, ratios)
def test_scores_of_another_criterion_rank_by_their_absolute_value(snapshot, scope, ratio):
    shape, raw = snapshot
    other = select(shape, raw, Plan(scope=scope, ratio=ratio, criterion="other"))
    plain = shape.model_copy(update={"scale": "plain"})
    assert (other.mask == select(plain, raw, Plan(scope=scope, ratio=ratio)).mask).all()


def test_a_threshold_of_another_criterion_is_one_on_its_scores():
    shape = shape_of([8], minimum=1)
    scores = np.array([-4, 3, 2, 1, 0, 0.5, 5, -0.1], np.float32)
    cut = select(shape, scores, Plan(threshold=1.5, criterion="other"))
    assert cut.mask.tolist() == [True, True, True, False, False, False, True, False]


def test_folding_has_a_digest_of_its_own_only_where_it_makes_another_network():
    raw = np.arange(8, dtype=np.float32)
    plain, bounded = shape_of([8], "plain"), shape_of([8], "bounded")
    drop, fold = Plan(ratio=0.5), Plan(ratio=0.5, bias="fold")
    assert select(plain, raw, drop).digest != select(plain, raw, fold).digest
    assert select(bounded, raw, drop).digest == select(bounded, raw, fold).digest
    nothing = Plan(ratio=0.0, bias="fold")
    assert select(plain, raw, nothing).digest == select(plain, raw, Plan(ratio=0.0)).digest
    assert select(plain, raw, nothing).variant == "drop"


def test_digests_of_plain_cuts_are_those_of_earlier_versions():
    cut = select(shape_of([8]), np.arange(8, dtype=np.float32), Plan(ratio=0.5))
    assert cut.digest == "8efa500a256df89e7c031559d3a4e1423c7631253b160f83789b17486d6af722"


def test_protected_layers_join_the_locks_once():
    plan = with_protected(Plan(ratio=0.5, locks=("a", "b")), ["b", "c", "c"])
    assert plan.locks == ("a", "b", "c")
    assert with_protected(plan, ()) is plan


def test_an_override_of_a_protected_layer_is_refused_at_its_field():
    with pytest.raises(ImpossiblePlan) as refusal:
        with_protected(Plan(ratio=0.5, overrides={"b": 0.25}), ["b"])
    assert refusal.value.field == "plan.overrides.b"
    assert "0.25" in refusal.value.message
    assert "protects" in refusal.value.message


def test_an_unknown_layer_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownName) as refusal:
        check_layers(shape_of([4, 4]), ["conv0", "conv9"], "protected")
    assert (refusal.value.field, refusal.value.hint) == ("protected", "Did you mean 'conv1'?")


@pytest.mark.parametrize(
    "plan",
    [
        {"ratio": 1.0},
        {"ratio": -0.1},
        {"ratio": float("nan")},
        {"threshold": -1.0},
        {"threshold": float("inf")},
        {"ratio": 0.5, "round_to": 0},
        {"ratio": 0.5, "round_to": 1025},
        {"ratio": 0.5, "min_channels": 0},
        {"ratio": 0.5, "bias": "keep"},
        {"ratio": 0.5, "criterion": ""},
        {"ratio": 0.5, "locks": ["a"], "overrides": {"a": 0.1}},
    ],
)
def test_values_that_no_plan_may_have_are_refused(plan):
    with pytest.raises(ValidationError):
        Plan.model_validate(plan)
