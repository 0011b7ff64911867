"""Asking for a cut by a target: the largest network that meets it, or what can be had."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from recede.contract.cut.selection import select
from recede.contract.cut.targets import (
    CurveAt,
    OpenPlan,
    Target,
    solve,
)
from recede.contract.errors import ImpossiblePlan
from recede.contract.network.cost import cost, dense_cost
from recede.contract.network.file_size import file_bytes
from recede.contract.network.shape import StoredTensor
from recede.contract.spec.run import Plan
from tests.backend.contract.shapes import shape_of, snapshots
from tests.dashboard.scripts.cases import make_shape, scores

scopes = st.sampled_from(["global", "local"])
costs = st.sampled_from(["macs", "params"])
shares = st.floats(0, 1)
multiples = st.sampled_from([1, 2, 4, 8])
CURVE = [CurveAt(0.0, 0.92), CurveAt(0.3, 0.91), CurveAt(0.5, 0.915), CurveAt(0.75, 0.6)]


def measured(shape, kept, kind):
    return getattr(cost(shape, kept), kind)


@given(snapshots(), scopes, costs, shares, multiples)
def test_no_smaller_ratio_meets_a_target_that_is_met(snapshot, scope, kind, share, multiple):
    shape, raw = snapshot
    plan = Plan(scope=scope, ratio=0.0, round_to=multiple)
    found = solve(shape, raw, plan, Target(kind=kind, value=share, relative=True))
    limit = share * measured(shape, shape.sizes, kind)
    steps = sorted({k / n for n in (shape.n_neurons, *shape.sizes) for k in range(n)})
    cuts = {r: select(shape, raw, plan.model_copy(update={"ratio": r})) for r in steps}
    least = min(measured(shape, cut.kept, kind) for cut in cuts.values())
    assert found.reached == (least <= limit * (1 + 1e-12))
    assert found.bound == least
    chosen = select(shape, raw, found.plan)
    assert chosen.kept == found.selection.kept
    assert measured(shape, chosen.kept, kind) == found.value
    assert found.value == least or found.value <= limit * (1 + 1e-12)
    for cut in cuts.values():
        if cut.removed < chosen.removed and found.reached:
            assert measured(shape, cut.kept, kind) > limit


@given(snapshots(), scopes)
def test_a_target_of_all_removes_nothing(snapshot, scope):
    shape, raw = snapshot
    target = Target(kind="macs", value=1.0, relative=True)
    found = solve(shape, raw, Plan(scope=scope, ratio=0.5), target)
    assert (found.reached, found.plan.ratio, found.selection.removed) == (True, 0.0, 0)


def test_macs_that_cannot_be_had_say_what_can():
    shape = shape_of([16, 32])
    raw = np.arange(48, dtype=np.float32)
    plan = Plan(ratio=0.0, locks=("conv0",), min_channels=4)
    found = solve(shape, raw, plan, Target(kind="macs", value=0.01, relative=True))
    assert not found.reached
    assert found.selection.kept == (16, 4)
    assert found.bound == found.value == cost(shape, [16, 4]).macs
    assert found.plan.locks == ("conv0",)


def test_absolute_and_relative_targets_of_the_same_size_agree():
    shape = shape_of([16, 32])
    raw = np.arange(48, dtype=np.float32)
    whole = dense_cost(shape).params
    relative = solve(shape, raw, Plan(ratio=0.0), Target(kind="params", value=0.5, relative=True))
    absolute = solve(shape, raw, Plan(ratio=0.0), Target(kind="params", value=whole / 2))
    assert relative.plan == absolute.plan


def test_the_ratio_of_an_answer_is_written_short():
    shape = make_shape([64, 128, 256])
    raw = scores(np.random.default_rng(1), shape.n_neurons, "bimodal")
    for scope in ("global", "local"):
        plan = Plan(ratio=0.0, scope=scope)
        found = solve(shape, raw, plan, Target(kind="macs", value=0.3, relative=True))
        assert len(str(found.plan.ratio)) <= 6


def test_the_plans_own_ratio_or_threshold_is_not_looked_at():
    shape = shape_of([16, 32])
    raw = np.arange(48, dtype=np.float32)
    target = Target(kind="macs", value=0.4, relative=True)
    asked = [Plan(ratio=0.0), Plan(ratio=0.9), Plan(threshold=0.5)]
    plans = {solve(shape, raw, plan, target).plan.ratio for plan in asked}
    assert len(plans) == 1


def test_a_file_is_as_small_as_asked():
    shape = make_shape([16, 32, 8])
    raw = scores(np.random.default_rng(2), shape.n_neurons, "bimodal")
    dense = file_bytes(shape, shape.sizes)
    found = solve(shape, raw, Plan(ratio=0.0), Target(kind="bytes", value=dense * 0.6))
    assert found.reached
    assert found.value == file_bytes(shape, found.selection.kept) <= dense * 0.6


def test_a_size_is_refused_for_a_run_that_did_not_record_its_tensors():
    shape = shape_of([8])
    with pytest.raises(ImpossiblePlan, match="recorded before") as refusal:
        solve(shape, np.zeros(8, np.float32), Plan(ratio=0.0), Target(kind="bytes", value=9.0))
    assert refusal.value.field == "target.kind"


def at(target):
    shape = shape_of([50, 50], minimum=1)
    raw = np.random.default_rng(3).permutation(100).astype(np.float32)
    return solve(shape, raw, Plan(ratio=0.0), target, CURVE)


@pytest.mark.parametrize(
    ("target", "removed", "value"),
    [
        (Target(kind="accuracy", value=0.9), 50, 0.915),
        (Target(kind="accuracy", value=0.92), 0, 0.92),
        (Target(kind="accuracy", value=0.5), 75, 0.6),
        (Target(kind="accuracy", value=0.99, relative=True), 50, 0.915),
        (Target(kind="drop", value=0.005), 50, 0.005),
        (Target(kind="drop", value=0.0), 0, 0.0),
        (Target(kind="drop", value=0.5, relative=True), 75, 0.32),
    ],
)
def test_an_accuracy_is_met_by_the_smallest_cut_that_was_measured_to_have_it(
    target, removed, value
):
    found = at(target)
    assert found.reached
    assert found.selection.removed == removed
    assert found.value == pytest.approx(value)


def test_an_accuracy_that_no_cut_has_names_the_best():
    found = at(Target(kind="accuracy", value=0.95))
    assert not found.reached
    assert (found.bound, found.selection.removed) == (0.92, 0)


def test_an_accuracy_needs_a_curve_that_begins_at_the_dense_network():
    shape, raw = shape_of([8]), np.zeros(8, np.float32)
    for points in ([], CURVE[1:]):
        with pytest.raises(ImpossiblePlan, match="not measured yet"):
            solve(shape, raw, Plan(ratio=0.0), Target(kind="accuracy", value=0.9), points)


@pytest.mark.parametrize(
    "target",
    [
        {"kind": "accuracy", "value": 90.0},
        {"kind": "drop", "value": 1.5},
        {"kind": "macs", "value": 30.0, "relative": True},
        {"kind": "macs", "value": -1.0},
        {"kind": "macs", "value": float("inf")},
        {"kind": "flops", "value": 1.0},
    ],
)
def test_targets_out_of_range_are_refused(target):
    with pytest.raises(ValidationError):
        Target.model_validate(target)


def test_an_open_plan_needs_no_ratio_but_contradicts_itself_no_more_than_another():
    assert OpenPlan(locks=("a",)).closed() == Plan(ratio=0.0, locks=("a",))
    assert OpenPlan(threshold=0.5).closed().threshold is None
    with pytest.raises(ValidationError, match="both locked and overridden"):
        OpenPlan(locks=("a",), overrides={"a": 0.5})


def test_a_header_is_padded_to_eight_bytes():
    shape = shape_of([4]).model_copy(
        update={
            "tensors": (
                StoredTensor(name="w", dtype="F32", shape=(4, 3), links=((0, 0, 1),)),
                StoredTensor(name="n", dtype="I64", shape=()),
            )
        }
    )
    header = (
        '{"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},'
        '"w":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]}}'
    )
    assert file_bytes(shape, [2]) == 8 + -(-len(header) // 8) * 8 + 32
