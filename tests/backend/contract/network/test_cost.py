"""Cost: integer arithmetic by hand; the comparison with torch is in tests/worker/core."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recede.contract.network.cost import (
    Cost,
    cost,
    dense_cost,
    within_reach,
)
from recede.contract.network.shape import NetworkShape, Op
from tests.backend.contract.shapes import shape_of, sizes


def test_a_chain_costs_what_paper_and_pencil_say():
    shape = shape_of([8, 6])
    params = 9 * 3 * 8 + 2 * 8 + 9 * 8 * 6 + 2 * 6 + 6 * 5 + 5
    macs = 16 * (9 * 3 * 8 + 9 * 8 * 6) + 6 * 5
    assert dense_cost(shape) == Cost(params, macs)
    params = 9 * 3 * 4 + 2 * 4 + 9 * 4 * 3 + 2 * 3 + 3 * 5 + 5
    macs = 16 * (9 * 3 * 4 + 9 * 4 * 3) + 3 * 5
    assert cost(shape, [4, 3]) == Cost(params, macs)


def test_a_depthwise_layer_costs_one_filter_a_channel_and_a_flattened_one_all_pixels():
    deep = Op(
        name="deep",
        kind="depthwise",
        fan_in=8,
        fan_out=8,
        source=0,
        target=0,
        kernel=9,
        positions=16,
    )
    linear = Op(name="linear", kind="linear", fan_in=8 * 16, fan_out=5, source=0)
    shape = shape_of([8]).model_copy(update={"ops": (deep, linear)})
    assert cost(shape, [4]) == Cost(9 * 4 + 4 * 16 * 5, 9 * 4 * 16 + 4 * 16 * 5)


def test_what_is_fixed_costs_the_same_in_every_cut():
    chain = shape_of([8, 6])
    fixed = Op(name="gate", kind="fixed", fan_in=0, fan_out=0, params=7, macs=11)
    shape = chain.model_copy(update={"ops": (*chain.ops, fixed)})
    for kept in ([8, 6], [4, 3]):
        without = cost(chain, kept)
        assert cost(shape, kept) == Cost(without.params + 7, without.macs + 11)


@given(sizes, st.data())
def test_no_cut_saves_more_than_is_within_reach(given_sizes, data):
    chain = shape_of(given_sizes)
    fixed = Op(name="gate", kind="fixed", fan_in=0, fan_out=0, params=7, macs=11)
    shape = chain.model_copy(update={"ops": (*chain.ops, fixed)})
    dense, reach = dense_cost(shape), within_reach(shape)
    kept = [data.draw(st.integers(1, size)) for size in given_sizes]
    small = cost(shape, kept)
    assert 0 <= dense.params - small.params <= reach.params <= dense.params - 7
    assert 0 <= dense.macs - small.macs <= reach.macs <= dense.macs - 11


@given(sizes, st.data())
def test_fewer_channels_never_cost_more(given_sizes, data):
    shape = shape_of(given_sizes)
    more = [data.draw(st.integers(1, size)) for size in given_sizes]
    less = [data.draw(st.integers(1, kept)) for kept in more]
    low, high = cost(shape, less), cost(shape, more)
    assert low.params <= high.params
    assert low.macs <= high.macs


@given(sizes)
def test_cost_survives_the_way_through_json(given_sizes):
    shape = shape_of(given_sizes)
    again = NetworkShape.model_validate_json(shape.model_dump_json())
    assert again == shape
    assert dense_cost(again) == dense_cost(shape)


def test_a_flat_array_is_split_into_one_part_a_group():
    import numpy as np

    parts = shape_of([2, 3, 1]).split(np.arange(6))
    assert [part.tolist() for part in parts] == [[0, 1], [2, 3, 4], [5]]
