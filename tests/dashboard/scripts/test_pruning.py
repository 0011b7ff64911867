"""The browser's arithmetic equals recede.contract's: cuts, costs, digests, accuracies.

All cases are made up front and computed in one browser (or node) start.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from recede.contract.cut.selection import (
    importances,
    n_to_remove,
    ranking_keys,
    scale_of,
    select,
)
from recede.contract.cut.targets import solve
from recede.contract.errors import ImpossiblePlan
from recede.contract.measuring import accuracy
from recede.contract.network.cost import cost, dense_cost
from recede.contract.network.file_size import file_bytes
from recede.contract.spec.run import Plan
from tests.dashboard.scripts.cases import URLS, Json, accuracy_cases, cut_cases, refusals
from tests.dashboard.scripts.target_cases import bin_cases, solve_cases

RUNNER = Path(__file__).parents[2] / "js" / "run_cases.mjs"


def all_cases() -> Json:
    return {
        "cuts": [
            {"shape": shape.model_dump(), "raw": raw.tolist(), "plan": plan.model_dump()}
            for shape, raw, plan in cut_cases()
        ],
        "solves": [
            {
                "shape": shape.model_dump(),
                "raw": raw.tolist(),
                "plan": plan.model_dump(),
                "target": target.model_dump(),
                "points": [vars(point) for point in points],
            }
            for shape, raw, plan, target, points in solve_cases()
        ],
        "bins": [{"about": about, "values": values} for about, values, _ in bin_cases()],
        "accuracies": [
            {"points": [asdict(point) for point in points], "ratios": ratios}
            for points, ratios in accuracy_cases()
        ],
        "urls": URLS,
        "refusals": [
            {"shape": shape.model_dump(), "raw": raw, "plan": plan}
            for shape, raw, plan, _ in refusals()
        ],
    }


@pytest.fixture(scope="module")
def answers() -> Json:
    """What JavaScript makes of all cases."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on the PATH, so no JavaScript can be run")
    done = subprocess.run(
        [node, RUNNER],
        input=json.dumps(all_cases()),
        capture_output=True,
        text=True,
        check=True,
    )
    answer: Json = json.loads(done.stdout)
    return answer


def test_cuts_keep_the_same_channels_as_python(answers: Json) -> None:
    for (shape, raw, plan), got in zip(cut_cases(), answers["cuts"], strict=True):
        wanted = select(shape, raw, plan)
        assert got["mask"] == "".join(map(str, wanted.mask.astype(int))), plan
        assert tuple(got["kept"]) == wanted.kept
        assert tuple(got["held"]) == wanted.held_at_minimum
        assert tuple(got["rounded"]) == wanted.rounded_up
        assert (got["removed"], got["ratio"]) == (wanted.removed, wanted.ratio)
        assert got["variant"] == wanted.variant


def test_costs_are_the_same_integers_as_in_python(answers: Json) -> None:
    for (shape, _, _), got in zip(cut_cases(), answers["cuts"], strict=True):
        assert got["cost"] == vars(cost(shape, got["kept"]))
        assert got["dense"] == vars(dense_cost(shape))
        assert got["bytes"] == file_bytes(shape, got["kept"])


def test_what_is_asked_for_gives_the_same_cut_as_in_python(answers: Json) -> None:
    reached = set()
    for (shape, raw, plan, target, points), got in zip(
        solve_cases(), answers["solves"], strict=True
    ):
        try:
            wanted = solve(shape, raw, plan, target, points)
        except ImpossiblePlan:
            assert "not measured" in got["refused"]
            continue
        found = (got["ratio"], tuple(got["kept"]), got["reached"], got["value"], got["bound"])
        assert found == (
            wanted.plan.ratio,
            wanted.selection.kept,
            wanted.reached,
            wanted.value,
            wanted.bound,
        ), (plan, target)
        reached.add((target.kind, wanted.reached))
    assert len(reached) == 9  # each kind met and missed; a drop of at least 0 is always met


def test_a_value_is_looked_up_in_the_bin_that_counts_it(answers: Json) -> None:
    for (_, _, wanted), got in zip(bin_cases(), answers["bins"], strict=True):
        assert got == wanted


def test_importances_are_those_of_python(answers: Json) -> None:
    for (shape, raw, plan), got in zip(cut_cases(), answers["cuts"], strict=True):
        wanted = importances(raw[:50], scale_of(shape, plan))
        np.testing.assert_allclose(got["importances"], wanted, rtol=1e-9, atol=1e-15)


def test_threshold_shown_for_a_ratio_makes_the_same_cut_up_to_ties(answers: Json) -> None:
    for (shape, raw, plan), got in zip(cut_cases(), answers["cuts"], strict=True):
        if plan.ratio is None or plan.scope == "local":
            continue
        by_threshold = plan.model_copy(update={"ratio": None, "threshold": got["threshold"]})
        key = ranking_keys(raw, scale_of(shape, plan))
        if np.unique(key).size == key.size:
            assert select(shape, raw, by_threshold).kept == select(shape, raw, plan).kept


def test_ratio_shown_for_a_threshold_counts_what_it_removes(answers: Json) -> None:
    for (shape, raw, plan), got in zip(cut_cases(), answers["cuts"], strict=True):
        if plan.threshold is None:
            continue
        bound = {*plan.locks, *plan.overrides}
        open_minimum = shape.model_copy(
            update={"groups": tuple(g.model_copy(update={"minimum": 0}) for g in shape.groups)}
        )
        free_plan = Plan(threshold=plan.threshold, locks=tuple(bound), criterion=plan.criterion)
        n_free = sum(group.size for group in shape.groups if group.name not in bound)
        removed = select(open_minimum, raw, free_plan).removed
        assert got["threshold_ratio"] == (removed / n_free if n_free else 0)


def test_accuracies_are_those_of_python(answers: Json) -> None:
    for (points, ratios), got in zip(accuracy_cases(), answers["accuracies"], strict=True):
        assert got["lossless"] == accuracy.lossless_ratio(points)
        for point, interval in zip(points, got["wilson"], strict=True):
            if isinstance(point, accuracy.Measured):
                wanted = accuracy.wilson_interval(point.correct, point.n)
                assert interval == pytest.approx(wanted, rel=1e-14, abs=1e-15)
        for ratio, estimated in zip(ratios, got["estimates"], strict=True):
            expected = accuracy.estimate(points, ratio)
            assert estimated == (None if expected is None else pytest.approx(vars(expected)))


def test_address_keeps_every_choice_and_what_is_not_ours(answers: Json) -> None:
    chosen, local, _, empty = answers["urls"]
    assert chosen["written"] == URLS[0]
    assert chosen["chosen"]["threshold"] == 0.12
    assert chosen["chosen"]["locks"] == ["features.0", "features.4"]
    assert local["chosen"]["scope"] == local["again"]["scope"] == "local"
    assert local["again"]["ratio"] == 0.5
    assert empty["refused"] == []


def test_broken_values_in_the_address_are_named_and_ignored(answers: Json) -> None:
    broken = answers["urls"][2]
    assert broken["chosen"]["epoch"] is None
    assert broken["chosen"]["ratio"] == 0.5
    assert [words.split("=")[0].split()[-1] for words in broken["refused"]] == [
        "epoch",
        "axis",
        "t",
        "r",
    ]


def test_impossible_input_is_refused_in_words(answers: Json) -> None:
    for (_, _, _, wanted), got in zip(refusals(), answers["refusals"], strict=True):
        assert got is not None
        assert wanted in got


def test_rounding_of_products_is_mended_as_in_python() -> None:
    assert n_to_remove(0.29, 100) == 29
