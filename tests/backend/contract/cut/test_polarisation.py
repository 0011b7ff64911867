"""Polarisation: what known mixtures give, what changes nothing, and what is never NaN."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recede.contract.cut.polarisation import (
    AXES,
    DEFINITIONS,
    TWO_MODES,
    Polarisation,
    bimodality,
    of_snapshot,
    on_axis,
    valley,
)
from recede.contract.cut.selection import importances
from tests.backend.contract.shapes import (
    scales,
    shape_of,
    snapshots,
)

RNG = np.random.default_rng(3)
WEAK, STRONG = RNG.normal(-6, 0.8, 400), RNG.normal(2, 0.8, 400)
PARTED = np.concatenate([WEAK, STRONG]).astype(np.float32)
SINGLE = RNG.normal(0, 1, 800).astype(np.float32)

raws = st.lists(
    st.floats(-30, 30, width=32) | st.sampled_from([0.0, -1e4, 1e4, math.inf, -math.inf]),
    max_size=40,
).map(lambda values: np.array(values, dtype=np.float32))


def logit(importance: float) -> float:
    return math.log(importance / (1 - importance))


def test_shares_count_importances_on_either_side_of_their_limits():
    logits = [logit(x) for x in (0.005, 0.02, 0.09, 0.11, 0.4, 0.6, 0.9, 0.99)]
    found = Polarisation.of(np.array(logits, dtype=np.float32), "bounded")
    assert (found.n, found.below_001, found.below_01, found.above_05) == (8, 1 / 8, 3 / 8, 3 / 8)
    gammas = np.array([0.005, -0.02, 0.09, -0.11, 0.6, -2.0, 0.0, 0.3], dtype=np.float32)
    found = Polarisation.of(gammas, "plain")
    assert (found.below_001, found.below_01, found.above_05) == (2 / 8, 4 / 8, 2 / 8)


def test_two_humps_are_two_modes_with_a_valley_between_them():
    found = Polarisation.of(PARTED, "bounded")
    assert found.bimodality is not None
    assert found.valley is not None
    assert found.bimodality > 0.8 > TWO_MODES
    assert -4 < logit(found.valley) < 0
    gammas = (10 ** np.concatenate([WEAK / 4 - 2, STRONG / 4 - 1])).astype(np.float32)
    found = Polarisation.of(gammas, "plain")
    assert found.bimodality is not None
    assert found.valley is not None
    assert found.bimodality > TWO_MODES
    assert 10**-3.2 < found.valley < 10**-0.8


def test_one_hump_is_one_mode_without_a_valley():
    found = Polarisation.of(SINGLE, "bounded")
    assert found.bimodality == pytest.approx(1 / 3, abs=0.05)  # a normal distribution: 1 / 3
    assert found.valley is None


def test_a_uniform_distribution_is_the_limit_of_two_modes():
    assert bimodality(np.linspace(-5, 5, 100_001)) == pytest.approx(TWO_MODES, abs=1e-4)


def test_the_coefficient_is_that_of_the_corrected_formula():
    # Worked by hand for 0, 0, 0, 1: g = 2, k = 4, (4 + 1) / (4 + 27 / 2).
    assert bimodality(np.array([0.0, 0.0, 0.0, 1.0])) == pytest.approx(5 / 17.5)


def test_few_neurons_beside_many_make_no_valley():
    few = np.concatenate([WEAK[:12], STRONG, STRONG]).astype(np.float32)
    assert Polarisation.of(few, "bounded").valley is None


@pytest.mark.parametrize("scale", ["bounded", "plain"])
@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_layers_of_few_neurons_have_shares_and_nothing_more(scale, n):
    found = Polarisation.of(np.linspace(-9, 9, n).astype(np.float32), scale)
    assert (found.n, found.bimodality, found.valley) == (n, None, None)
    assert 0 <= found.below_01 <= 1


@pytest.mark.parametrize("scale", ["bounded", "plain"])
@pytest.mark.parametrize("value", [0.0, 0.7, -3.0, 1e4, math.inf])
def test_equal_importances_have_no_modes(scale, value):
    found = Polarisation.of(np.full(50, value, dtype=np.float32), scale)
    assert (found.bimodality, found.valley) == (None, None)


def test_what_is_no_number_is_left_out_and_counted_nowhere():
    broken = np.concatenate([PARTED, np.full(9, np.nan, dtype=np.float32)])
    assert Polarisation.of(broken, "bounded") == Polarisation.of(PARTED, "bounded")
    nothing = Polarisation.of(np.full(9, np.nan, dtype=np.float32), "bounded")
    assert (nothing.n, nothing.below_01, nothing.bimodality) == (0, 0.0, None)


@given(raws, scales, st.randoms(use_true_random=False))
def test_everything_is_finite_in_range_and_deaf_to_order(raw, scale, random):
    found = Polarisation.of(raw, scale)
    assert found.n == raw.size
    for share in (found.below_001, found.below_01, found.above_05):
        assert 0 <= share <= 1
    assert found.below_001 <= found.below_01 <= 1 - found.above_05 + 1e-12
    assert found.bimodality is None or 0 < found.bimodality < 1
    assert found.valley is None or 0 < found.valley < 10.0 ** AXES["plain"][1]
    mixed = raw.tolist()
    random.shuffle(mixed)
    assert Polarisation.of(np.array(mixed, dtype=np.float32), scale) == found


@given(raws)
def test_the_sign_of_an_ordinary_scale_means_nothing(raw):
    assert Polarisation.of(-raw, "plain") == Polarisation.of(raw, "plain")


@given(st.lists(st.integers(-40, 40), min_size=4, max_size=60))
def test_mirrored_importances_are_as_bimodal(values):
    raw = np.array(values, dtype=np.float64) / 4
    forward, backward = bimodality(raw), bimodality(-raw)
    assert (forward is None) == (backward is None)
    assert forward is None or forward == pytest.approx(backward, rel=1e-9)


@given(st.floats(-3, 3), st.floats(0.05, 3))
def test_place_and_width_do_not_change_the_coefficient(shift, width):
    moved = bimodality(PARTED.astype(np.float64) * width + shift)
    assert moved == pytest.approx(bimodality(PARTED.astype(np.float64)), rel=1e-6)


def test_a_valley_parts_the_neurons_as_the_humps_were_made():
    threshold = valley(PARTED, "bounded")
    weak = importances(PARTED, "bounded") < threshold
    assert weak[:400].all()
    assert not weak[400:].any()


def test_the_axis_is_that_of_the_histograms():
    from recede.api.answers.training.histograms import LOG10_RANGE, LOGIT_RANGE

    assert dict(AXES) == {"bounded": LOGIT_RANGE, "plain": LOG10_RANGE}
    ends = on_axis(np.array([-99, 99, 0], dtype=np.float32), "bounded")
    np.testing.assert_array_equal(ends, [-12, 12, 0])
    np.testing.assert_array_equal(on_axis(np.array([0, 1e9], dtype=np.float32), "plain"), [-6, 1])


@given(snapshots())
def test_a_snapshot_is_told_as_a_whole_and_layer_by_layer(drawn):
    shape, raw = drawn
    stored = of_snapshot(shape, raw)
    whole = Polarisation.model_validate(stored["overall"])
    layers = {name: Polarisation.model_validate(one) for name, one in stored["layers"].items()}
    assert list(layers) == [group.name for group in shape.groups]
    assert sum(one.n for one in layers.values()) == whole.n == shape.n_neurons
    weak = sum(one.below_01 * one.n for one in layers.values())
    assert weak == pytest.approx(whole.below_01 * whole.n)


def test_every_field_has_its_definition():
    assert list(DEFINITIONS) == list(Polarisation.model_fields)
    shape = shape_of([4])
    assert set(of_snapshot(shape, np.zeros(4, np.float32))["overall"]) == set(DEFINITIONS)
