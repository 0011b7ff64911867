"""Curves and evaluations: points with their kinds, one job a curve, pages of what was measured."""

from __future__ import annotations

import pytest

from recede.contract.cut.selection import select
from recede.contract.measuring.accuracy import Accuracy, measured
from recede.contract.network.cost import cost, dense_cost
from recede.contract.spec.run import Plan
from recede.store.database.engine import Store
from recede.store.queue import jobs
from recede.store.results import curves
from recede.store.results.curves import Place
from tests.backend.api.routes.training.test_runs import refused
from tests.backend.store.samples import (
    N_VAL,
    SHAPE,
    add_epochs,
    add_evaluation,
    add_run,
    raw_scales,
)

RUNS = "/api/v1/runs"
PLACE = Place(3, "importance", "global", "drop")
GUESS = Accuracy("estimated", 0.85, 0.78, 0.9, 60, N_VAL, 0.84, 0.86)


def add_point(store: Store, run_id: str, ask: float, accuracy: Accuracy, place=PLACE) -> None:
    chosen = select(SHAPE, raw_scales(place.epoch), Plan(ratio=ask))
    with store.write() as session:
        curves.put(
            session,
            run_id,
            place,
            ask=ask,
            ratio=chosen.ratio,
            digest=chosen.digest,
            accuracy=accuracy,
            cost=vars(cost(SHAPE, chosen.kept)),
        )


def active(store: Store, run_id: str) -> list[str]:
    with store.read() as session:
        return [job.kind for job in jobs.active(session, run_id) if job.kind != "train"]


def test_the_curve_holds_its_points_by_ratio(http, store, finished):
    add_evaluation(store, finished.id, Plan(epoch=3, ratio=0.1), epoch=3, correct=90)
    curve = http.get(f"{RUNS}/{finished.id}/curve").json()
    assert [point["ratio"] for point in curve["points"]] == [0.0, 0.25, 0.5, 0.7]
    assert [point["ask"] for point in curve["points"]] == [0.0, 0.25, 0.5, 0.75]
    assert (curve["epoch"], curve["checkpoint_id"]) == (3, finished.weights)
    assert (curve["criterion"], curve["scope"], curve["bias"]) == ("importance", "global", "drop")
    assert (curve["lossless_ratio"], curve["job"]) == (0.5, None)
    assert curve["dense"] == vars(dense_cost(SHAPE))


def test_a_point_says_what_it_is_and_how_sure(http, store, finished):
    add_point(store, finished.id, 0.3, GUESS)
    points = http.get(f"{RUNS}/{finished.id}/curve").json()["points"]
    found = next(point for point in points if point["ask"] == 0.3)
    assert found["accuracy"] == {**vars(GUESS), "split": "validation"}
    whole = next(point for point in points if point["ask"] == 0.5)["accuracy"]
    assert (whole["kind"], whole["n"], whole["n_split"]) == ("measured", N_VAL, N_VAL)
    assert whole["split_low"] == whole["split_high"] == whole["value"]


def test_a_whole_measurement_takes_the_place_of_an_estimate(http, store, finished):
    add_point(store, finished.id, 0.3, GUESS)
    add_evaluation(store, finished.id, Plan(epoch=3, ratio=0.3), epoch=3, correct=88)
    points = http.get(f"{RUNS}/{finished.id}/curve").json()["points"]
    (found,) = (point for point in points if point["ask"] == 0.3)
    assert (found["accuracy"]["kind"], found["accuracy"]["value"]) == ("measured", 0.88)


def test_curves_of_other_epochs_criteria_and_scopes_are_apart(http, store, finished):
    add_point(store, finished.id, 0.3, GUESS, Place(2, "importance", "global", "drop"))
    add_point(store, finished.id, 0.4, GUESS, Place(3, "importance", "local", "fold"))
    url = f"{RUNS}/{finished.id}/curve"

    def asks(**query) -> list[float]:
        return [point["ask"] for point in http.get(url, params=query).json()["points"]]

    assert asks(epoch=2) == [0.3]
    assert asks(scope="local", bias="fold") == [0.0, 0.4]
    assert asks(scope="local") == [0.0]  # the uncut network is the same in all of them
    assert asks(criterion="random") == [0.0]


def test_an_estimate_that_may_lie_below_the_floor_is_not_lossless(http, store, finished):
    low = Accuracy("estimated", 0.89, 0.8, 0.95, 60, N_VAL, 0.8, 0.92)
    add_point(store, finished.id, 0.3, low)
    assert http.get(f"{RUNS}/{finished.id}/curve").json()["lossless_ratio"] == 0.25


def test_a_preview_between_points_takes_their_intervals(http, store, finished):
    add_point(store, finished.id, 0.6, GUESS)
    body = {"plan": {"ratio": 0.55}}
    told = http.post(f"{RUNS}/{finished.id}/preview", json=body).json()["accuracy"]
    assert told["kind"] == "estimated"
    assert told["n"] == 60
    assert told["split_low"] == 0.84
    assert told["split_high"] == 0.89


def test_a_run_without_weights_has_an_empty_curve(http, store):
    run_id, _ = add_run(store)
    curve = http.get(f"{RUNS}/{run_id}/curve").json()
    assert (curve["points"], curve["checkpoint_id"], curve["dense"]) == ([], None, None)
    assert refused(http.post(f"{RUNS}/{run_id}/curve"), 409)["code"] == "weights_gone"


def test_the_curve_is_queued_once_in_the_methods_scope(http, store, finished):
    first = http.post(f"{RUNS}/{finished.id}/curve").json()["job"]
    again = http.post(f"{RUNS}/{finished.id}/curve").json()["job"]
    assert first["id"] == again["id"]
    assert first["payload"]["scope"] == "global"
    assert first["payload"]["epoch"] == 3
    assert len(first["payload"]["ratios"]) == 100
    assert http.get(f"{RUNS}/{finished.id}/curve").json()["job"]["id"] == first["id"]
    assert active(store, finished.id) == ["curve"]


def test_an_exact_curve_and_one_of_another_epoch_are_jobs_of_their_own(http, store, finished):
    url = f"{RUNS}/{finished.id}/curve"
    plain = http.post(url).json()["job"]
    exact = http.post(url, json={"exact": True}).json()["job"]
    other = http.post(url, json={"epoch": 2, "scope": "local"}).json()["job"]
    assert len({plain["id"], exact["id"], other["id"]}) == 3
    assert http.post(url).json()["job"]["id"] in (plain["id"], exact["id"])
    assert (other["payload"]["epoch"], other["payload"]["scope"]) == (2, "local")
    assert http.get(url, params={"epoch": 2, "scope": "local"}).json()["job"]["id"] == other["id"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"epoch": 1}, 409, "plan.epoch"),
        ({"epoch": -1}, 422, "epoch"),
        ({"criterion": "magic"}, 422, "plan.criterion"),
        ({"scope": "layer"}, 422, "scope"),
        ({"exact": "yes"}, 422, "exact"),
        ({"ratios": [0.5]}, 422, "ratios"),
    ],
)
def test_a_curve_that_cannot_be_measured_is_refused(http, store, finished, body, status, field):
    answer = http.post(f"{RUNS}/{finished.id}/curve", json=body)
    assert refused(answer, status)["field"] == field
    assert active(store, finished.id) == []


def test_protecting_a_layer_forgets_curves_that_cut_it(http, store, finished):
    add_point(store, finished.id, 0.3, measured(80, N_VAL))
    http.patch(f"{RUNS}/{finished.id}", json={"protected": ["a"]})
    points = http.get(f"{RUNS}/{finished.id}/curve").json()["points"]
    assert 0.3 not in [point["ask"] for point in points]


def test_evaluations_come_newest_first_page_by_page(http, store, finished):
    url = f"{RUNS}/{finished.id}/evaluations"
    add_evaluation(store, finished.id, Plan(epoch=2, ratio=0.5), epoch=2, correct=70)
    whole = http.get(url).json()
    assert [one["epoch"] for one in whole["items"]] == [2, 3, 3, 3, 3]
    first = http.get(url, params={"epoch": 3, "limit": 3}).json()
    rest = http.get(url, params={"epoch": 3, "limit": 3, "cursor": first["next"]}).json()
    ids = [one["id"] for one in first["items"] + rest["items"]]
    assert ids == [one["id"] for one in whole["items"][1:]]
    assert rest["next"] is None


def test_evaluations_of_an_unknown_run_are_not_found(http):
    assert refused(http.get(f"{RUNS}/nowhere/evaluations"), 404)["code"] == "not_found"
    assert refused(http.get(f"{RUNS}/nowhere/curve"), 404)["code"] == "not_found"


def test_a_run_that_trains_shows_the_curve_of_its_best_epoch(http, store):
    run_id, _ = add_run(store)
    add_epochs(store, run_id, 2)
    add_point(store, run_id, 0.3, GUESS, Place(2, "importance", "global", "drop"))
    curve = http.get(f"{RUNS}/{run_id}/curve").json()
    assert (curve["epoch"], len(curve["points"])) == (2, 1)
    assert curve["lossless_ratio"] is None  # the uncut network is not among them
