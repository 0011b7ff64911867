"""The tables of benchmarks.gate: cuts at equal neurons and at equal multiply-adds."""

from __future__ import annotations

from typing import Any

from benchmarks import gate


def line(label: str, accuracy: float, smallest: float | None) -> gate.Line:
    neurons = [{"asked": r, "accuracy": accuracy, "macs": 1 - r} for r in gate.RATIOS]
    macs: list[dict[str, Any]] = [
        {"asked": share, "accuracy": accuracy, "macs": share} for share in gate.MACS
    ]
    macs[-1]["accuracy"] = smallest
    found = {
        "uncut": accuracy,
        "by_epoch": [0.9, 0.7, accuracy],
        "lossless": 0.5,
        "neurons": neurons,
        "macs": macs,
    }
    return gate.Line(label, found)


def test_a_cut_that_no_plan_reaches_is_not_in_the_mean():
    lines = [line("gates, RNI", 0.8, None), line("gates, RNI", 0.9, 0.9)]
    *_, row = gate.by_macs(lines)
    assert row.endswith("| 85.0 (80.0 to 90.0) | 90.0 |")


def test_only_what_was_trained_on_has_a_first_epoch():
    *_, cut, trained = gate.by_neurons(
        [line("as it is: Taylor", 0.6, 0.6), line("gates, RNI", 0.8, 0.8)]
    )
    assert cut.startswith("| as it is: Taylor | – | 60.0 | – |")
    assert trained.startswith("| gates, RNI | 70.0 | 80.0 | 50.0 |")
