"""The tables of benchmarks.distillation: seeds are paired, what could not be had is left out."""

from __future__ import annotations

from benchmarks.distillation import DISTILLED, PLAIN, Tuned, accuracies, differences, paired

DENSE = {"validation": 0.91, "test": 0.90}


def tuned(way: str, seed: int, test: float | None, ratio: float = 0.8) -> Tuned:
    found = {
        "macs": 0.044,
        "dense": DENSE,
        "cut": {"validation": 0.1, "test": None},
        "tuned": {"validation": 0.85, "test": test},
    }
    return Tuned(way, ratio, seed, found)


def test_differences_are_of_the_same_seed_in_whatever_order_they_come():
    runs = [tuned(DISTILLED, 1, 0.86), tuned(PLAIN, 0, 0.84), tuned(PLAIN, 1, 0.855)]
    runs += [tuned(DISTILLED, 0, 0.83), tuned(PLAIN, 2, 0.99)]  # the third one has no partner
    found = paired(runs, "test")
    assert found is not None
    assert [round(one, 6) for one in found.differences] == [-1.0, 0.5]
    assert found.more == 1


def test_a_cut_without_any_pair_has_no_line_of_differences():
    runs = [tuned(PLAIN, 0, 0.84), tuned(DISTILLED, 0, None)]
    assert paired(runs, "test") is None
    assert not any("test" in line for line in differences(runs))


def test_each_cut_has_a_line_for_each_split():
    runs = [tuned(way, 0, 0.8, ratio) for ratio in (0.5, 0.8) for way in (PLAIN, DISTILLED)]
    lines = list(accuracies(runs))[2:]
    assert [line.split(" | ")[0] for line in lines] == ["| 50%", "| 50%", "| 80%", "| 80%"]
    assert lines[1] == "| 50% | 4.4% | test | 90.00 | – | 80.00 | 80.00 |"
