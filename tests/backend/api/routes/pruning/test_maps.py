"""Accuracy over ratio and epoch, weights that are gone, and fine-tunings beside their parents."""

from __future__ import annotations

from typing import Any

import pytest

from recede.contract.cut.selection import select
from recede.contract.measuring.accuracy import measured
from recede.contract.measuring.sampling import Seen, estimated
from recede.contract.network.cost import cost, dense_cost
from recede.contract.spec.run import Init, Plan
from recede.store.experiments import history, runs
from recede.store.results import evaluations, maps
from tests.backend.api.routes.training.test_runs import RUNS, refused
from tests.backend.store.samples import (
    N_VAL,
    SHAPE,
    SPEC,
    add_checkpoint,
    add_epochs,
    add_evaluation,
    add_run,
    metrics,
    raw_scales,
)

PLACE = {"criterion": "importance", "scope": "global", "bias": "drop"}


def point(epoch: int, ask: float, n: int = 40) -> dict[str, Any]:
    """A point of the map, estimated from n of the split's images."""
    chosen = select(SHAPE, raw_scales(epoch), Plan(epoch=epoch, ratio=ask))
    seen = Seen(size=N_VAL, control_correct=80, n=n, control_seen=n - 8, lost=5, gained=1)
    return {
        "ask": ask,
        "ratio": chosen.ratio,
        "digest": chosen.digest,
        **vars(estimated(seen)),
        **vars(cost(SHAPE, chosen.kept)),
    }


@pytest.fixture
def mapped(store, finished) -> str:
    with store.write() as session:
        for epoch in (1, 3):
            points = [point(epoch, ratio) for ratio in maps.RATIOS]
            maps.put(session, finished.id, epoch, PLACE, points)
    return finished.id


def test_the_map_has_a_point_for_each_measured_epoch_and_ratio(http, mapped):
    answer = http.get(f"{RUNS}/{mapped}/map").json()
    assert answer["ratios"] == list(maps.RATIOS)
    assert answer["epochs"] == [1, 3]
    asked = [(one["epoch"], one["ask"]) for one in answer["points"]]
    assert asked == [(epoch, ratio) for epoch in (1, 3) for ratio in maps.RATIOS]
    one = answer["points"][5]
    assert {name: one[name] for name in PLACE} == PLACE
    accuracy = one["accuracy"]
    assert (accuracy["kind"], accuracy["n"], accuracy["n_split"]) == ("estimated", 40, N_VAL)
    assert accuracy["low"] <= accuracy["split_low"] <= accuracy["value"]
    assert accuracy["value"] <= accuracy["split_high"] <= accuracy["high"]
    assert one["cost"]["params"] < vars(dense_cost(SHAPE))["params"]


def test_the_map_names_the_kept_epochs_and_the_dense_accuracy_of_all(http, mapped):
    answer = http.get(f"{RUNS}/{mapped}/map").json()
    assert answer["kept_epochs"] == [2, 3]
    assert list(answer["dense"]) == ["0", "1", "2", "3"]
    assert answer["dense"]["1"]["value"] == 0.5
    assert answer["dense"]["1"]["kind"] == "measured"
    assert answer["dense"]["1"]["split_low"] == 0.5


def test_a_cut_that_was_measured_since_is_given_as_measured(http, store, mapped):
    add_evaluation(store, mapped, Plan(epoch=1, ratio=maps.RATIOS[4]), epoch=1, correct=77)
    points = http.get(f"{RUNS}/{mapped}/map").json()["points"]
    same = [one for one in points if (one["epoch"], one["ask"]) == (1, maps.RATIOS[4])]
    assert [one["accuracy"]["value"] for one in same] == [0.77]
    assert same[0]["accuracy"]["kind"] == "measured"
    assert points[3]["accuracy"]["kind"] == "estimated"


def test_a_point_from_more_images_stays_and_one_from_fewer_is_replaced(http, store, mapped):
    def now() -> tuple[str, int]:
        points = http.get(f"{RUNS}/{mapped}/map").json()["points"]
        accuracy = points[2]["accuracy"]
        return accuracy["kind"], accuracy["n"]

    whole = {**point(1, maps.RATIOS[2]), **vars(measured(70, N_VAL))}
    with store.write() as session:
        maps.put(session, mapped, 1, PLACE, [whole])
    assert now() == ("measured", N_VAL)
    with store.write() as session:
        maps.put(session, mapped, 1, PLACE, [point(1, maps.RATIOS[2])])
    assert now() == ("measured", N_VAL)


def test_points_of_a_curve_between_the_maps_ratios_are_left_to_the_curve(http, store, mapped):
    with store.write() as session:
        maps.put(session, mapped, 3, PLACE, [point(3, 0.07)])
    points = http.get(f"{RUNS}/{mapped}/map").json()["points"]
    assert 0.07 not in {one["ask"] for one in points}


def test_another_criterion_scope_or_bias_is_another_map(http, mapped):
    for query in ({"scope": "local"}, {"bias": "fold"}, {"criterion": "l1"}):
        answer = http.get(f"{RUNS}/{mapped}/map", params=query).json()
        assert (answer["points"], answer["epochs"]) == ([], [])
        assert answer["kept_epochs"] == [2, 3]
    error = refused(http.get(f"{RUNS}/{mapped}/map", params={"scope": "nowhere"}))
    assert error["field"] == "scope"


def test_a_run_without_a_map_has_an_empty_one(http, store, recede):
    fresh, _ = add_run(store)
    found = recede.prunability(fresh)
    assert (found.points, found.epochs, found.kept_epochs, found.dense) == ([], [], [], {})
    refused(http.get(f"{RUNS}/nothere2/map"), 404)


def test_each_measured_epoch_is_told_as_an_event(store, mapped):
    from recede.store.events import log

    with store.read() as session:
        told = [one.data for one in log.after(session, 0) if one.type == "map"]
    assert told == [{"epoch": 1, "points": 16}, {"epoch": 3, "points": 16}]


def test_cutting_an_epoch_whose_weights_are_gone_names_the_nearest_for_programs(http, finished):
    body = {"plan": {"epoch": 1, "ratio": 0.3}}
    for route in ("evaluate", "prune"):
        error = refused(http.post(f"{RUNS}/{finished.id}/{route}", json=body), 409)
        assert error["code"] == "weights_gone"
        assert error["details"] == {"nearest_epoch": 2, "kept_epochs": [2, 3]}
        assert "2" in error["hint"]


def test_other_errors_have_no_details(http):
    assert "details" not in refused(http.get(f"{RUNS}/nothere2"), 404)


@pytest.fixture
def tuned(store, finished) -> str:
    """A fine-tuning of a cut of the finished run that has just begun."""
    init = Init(run=finished.id, plan=Plan(epoch=3, ratio=0.5))
    return add_run(store, SPEC.model_copy(update={"init": init}))[0]


def networks(recede, run_id: str) -> dict[str, Any]:
    return {one.network: one for one in recede.comparison(run_id).networks}


def test_before_a_fine_tuning_has_begun_only_its_parent_is_known(recede, finished, tuned):
    found = recede.comparison(tuned)
    assert (found.parent, found.parent_name, found.ratio) == (finished.id, SPEC.title(), None)
    dense, cut, after = found.networks
    assert (dense.network, cut.network, after.network) == ("dense", "cut", "tuned")
    assert dense.epoch == 3
    assert dense.validation is not None
    assert dense.validation.value == 0.9
    assert dense.test is None
    assert (cut.validation, cut.cost, after.validation, after.test) == (None, None, None, None)


def test_dense_cut_and_tuned_stand_side_by_side(recede, store, settings, finished, tuned):
    with store.write() as session:
        runs.set_results(session, finished.id, test_correct=85, n_test=100)
        runs.set_results(session, tuned, test_correct=80, n_test=100)
        raw = raw_scales(0)
        history.put_network(session, tuned, SHAPE)
        for epoch in (0, 1):
            history.put_epoch(session, tuned, epoch, metrics(epoch), raw)
        runs.set_results(session, tuned, best_epoch=1, best_val_correct=50, n_val=N_VAL)
        measured_ = {"correct": 12, "n": 100, "loss": 1.0, "seconds": 1.0}
        evaluations.put_evaluation(
            session, run_id=tuned, epoch=0, digest="d", split="test", ratio=0.0, plan={},
            **measured_, **vars(dense_cost(SHAPE)),
        )  # fmt: skip
    found = networks(recede, tuned)
    assert found["dense"].test.value == 0.85
    assert (found["cut"].validation.value, found["cut"].test.value) == (0.1, 0.12)
    assert (found["tuned"].validation.value, found["tuned"].test.value) == (0.5, 0.8)
    assert (found["tuned"].test.n, found["tuned"].test.split) == (100, "test")
    assert found["cut"].cost == found["tuned"].cost == found["dense"].cost


def test_what_was_written_down_of_the_parent_outlives_it(recede, store, settings, tuned):
    add_epochs(store, tuned, 1)
    checkpoint = add_checkpoint(store, settings.artifacts, tuned, 1)
    with store.write() as session:
        row = evaluations.checkpoint(session, checkpoint)
        row.manifest = {
            "start": {
                "run_id": "gone2345",
                "run_name": "Demo",
                "epoch": 7,
                "ratio": 0.4,
                "parent_accuracy": {"validation": {"correct": 88, "n": 100}},
                "parent_cost": {"params": 10, "macs": 20},
            }
        }
        run = runs.get(session, tuned)
        run.spec = {**run.spec, "init": {**run.spec["init"], "run": "gone2345"}}
    found = recede.comparison(tuned)
    assert (found.parent, found.parent_name, found.ratio) == ("gone2345", "Demo", 0.4)
    dense = found.networks[0]
    assert (dense.epoch, dense.validation.value, dense.test) == (7, 0.88, None)
    assert (dense.cost.params, dense.cost.macs) == (10, 20)


def test_a_run_that_is_no_fine_tuning_has_nothing_to_compare(http, finished):
    error = refused(http.get(f"{RUNS}/{finished.id}/comparison"), 409)
    assert "not a fine-tuning run" in error["message"]
    refused(http.get(f"{RUNS}/nothere2/comparison"), 404)


def test_the_catalog_offers_the_recipes_of_a_fine_tuning(http):
    recipes = http.get("/api/v1/catalog").json()["recipes"]
    assert [one["name"] for one in recipes] == ["short", "published"]
    assert recipes[1]["epochs"] == 160
