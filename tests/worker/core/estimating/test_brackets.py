"""Brackets: every point is near enough, its interval holds the truth, and few images are run.

Networks are made up here, as tables of right answers: what is tried is where the algorithm
looks and what it concludes. Its intervals are tried by simulation, 95 % being asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from recede.contract.measuring.accuracy import Accuracy
from recede.contract.measuring.sampling import TOLERANCE
from recede_worker.core.estimating.brackets import (
    Brackets,
    Flags,
    Places,
)

SIZE, CUTS, DENSE = 6000, 60, 0.9
CHANCE = 0.1


@dataclass
class Table:
    """Right answers of each cut, (cuts, images), and which of them were asked for."""

    right_CN: Flags
    seen_CN: Flags = field(init=False)

    def __post_init__(self) -> None:
        self.seen_CN = np.zeros_like(self.right_CN)

    def right(self, cut: int, places_M: Places) -> Flags:
        self.seen_CN[cut, places_M] = True
        return self.right_CN[cut, places_M].copy()

    def right_of_all(self, cut: int) -> Flags:
        return self.right(cut, np.arange(self.right_CN.shape[1]))


def falling(
    seed: int, *, middle: float, width: float, flicker: float = 0.0, size: int = SIZE
) -> tuple[Flags, Table]:
    """A dense network and cuts that lose each image somewhere around `middle` of the cuts.

    `flicker`: share of the images on which any cut is unlike that, each cut on others; it
    grows from nothing to this over the cuts.
    """
    rng = np.random.default_rng(seed)
    dense_N = rng.random(size) < DENSE
    lost_at_N = rng.normal(middle * CUTS, width * CUTS, size)
    lucky_N = rng.random(size) < CHANCE
    place_C1 = np.arange(CUTS)[:, None]
    right_CN = np.where(place_C1 < lost_at_N, dense_N, lucky_N)
    unlike_CN = rng.random((CUTS, size)) < flicker * (place_C1 / CUTS) ** 2
    return dense_N, Table(right_CN ^ unlike_CN)


SHAPES = {
    "cliff": {"middle": 0.6, "width": 0.02},
    "slope": {"middle": 0.5, "width": 0.2},
    "never": {"middle": 5.0, "width": 0.01},
    "at once": {"middle": -1.0, "width": 0.01},
    "some flicker": {"middle": 0.6, "width": 0.02, "flicker": 0.004},
    "much flicker": {"middle": 0.6, "width": 0.05, "flicker": 0.05},
}


def run(dense_N: Flags, table: Table, seed: int, *, thrifty: bool = False) -> dict[int, Accuracy]:
    order_N = np.random.default_rng(seed).permutation(len(dense_N))
    found = list(Brackets(table, dense_N, order_N, thrifty=thrifty).run(range(CUTS)))
    assert sorted(cut for cut, _ in found) == list(range(CUTS))
    return dict(found)


@pytest.mark.parametrize("size", [900, SIZE])
@pytest.mark.parametrize("thrifty", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_intervals_hold_the_truth_and_are_narrow(shape, thrifty, size):
    held = []
    for seed in range(6):
        dense_N, table = falling(seed, **SHAPES[shape], size=size)
        for cut, known in run(dense_N, table, seed, thrifty=thrifty).items():
            truth = table.right_CN[cut].mean()
            assert known.half_width <= TOLERANCE + 1e-9
            if known.kind == "measured":
                assert known.value == truth
                continue
            assert known.n < known.n_split or size < SIZE
            held.append(known.split_low - 1e-9 <= truth <= known.split_high + 1e-9)
    # Where every cut answers otherwise, hardly a part of few or dear images says enough.
    assert len(held) > CUTS or (shape == "much flicker" and (thrifty or size < SIZE))
    assert sum(held) >= 0.93 * len(held)


@pytest.mark.parametrize("shape", ["cliff", "never", "at once", "some flicker"])
def test_most_images_are_never_run(shape):
    dense_N, table = falling(1, **SHAPES[shape])
    run(dense_N, table, 1)
    assert table.seen_CN.mean() < 0.25


def test_measuring_gathers_where_accuracy_falls():
    dense_N, table = falling(2, **SHAPES["cliff"])
    found = run(dense_N, table, 2)
    measured = [cut for cut, known in found.items() if known.kind == "measured"]
    falls = np.diff(table.right_CN.mean(1), prepend=DENSE) < -TOLERANCE
    inside = [cut for cut in measured if falls[max(0, cut - 2) : cut + 3].any()]
    assert len(inside) >= len(measured) - 1  # and the last one, which is the other end


def test_a_jump_of_one_single_cut_is_found_when_it_is_large():
    dense_N, table = falling(3, **SHAPES["never"])
    rng = np.random.default_rng(3)
    table.right_CN[20] ^= rng.random(SIZE) < 0.2
    truth = table.right_CN[20].mean()
    found = run(dense_N, table, 3)
    assert found[20].split_low - 1e-9 <= truth <= found[20].split_high + 1e-9


def test_a_small_split_is_measured_wholly():
    dense_N, table = falling(4, **SHAPES["cliff"], size=300)
    assert {known.kind for known in run(dense_N, table, 4).values()} == {"measured"}
    assert table.seen_CN.all()


def test_exact_mode_looks_at_everything():
    dense_N, table = falling(5, **SHAPES["cliff"])
    brackets = Brackets(table, dense_N, np.arange(SIZE))
    values = {cut: known.value for cut, known in brackets.exact([3, 40])}
    assert values == {cut: table.right_CN[cut].mean() for cut in (3, 40)}


def test_images_that_must_be_decoded_are_taken_from_one_small_part_where_nothing_differs():
    dense_N, table = falling(6, **SHAPES["never"])
    run(dense_N, table, 6, thrifty=True)
    looked_at = table.seen_CN[:-1].any(0).mean()  # the last one is measured wholly
    assert looked_at < 0.2
