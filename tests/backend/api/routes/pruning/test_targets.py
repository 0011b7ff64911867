"""Solve for a target, score by a criterion, protect layers."""

from __future__ import annotations

import numpy as np
import pytest

from recede.contract.cut.selection import select
from recede.contract.cut.targets import Target, solve
from recede.contract.network.cost import cost, dense_cost
from recede.contract.spec.run import Plan
from recede.store.experiments import runs
from recede.store.queue import jobs
from recede.store.results import scores
from tests.backend.api.routes.training.test_runs import refused
from tests.backend.store.samples import (
    SHAPE,
    add_run,
    raw_scales,
)

RUNS = "/api/v1/runs"
RANKED = np.linspace(5, -5, SHAPE.n_neurons).astype(np.float32)


@pytest.fixture
def scored(store, finished):
    """The run of three epochs, the last one scored by another criterion."""
    with store.write() as session:
        scores.put(session, finished.id, 3, "taylor", RANKED)
    return finished


def active(store, run_id):
    with store.read() as session:
        return [job.kind for job in jobs.active(session, run_id) if job.kind != "train"]


def asked(http, run_id, target, status=200, **plan):
    answer = http.post(f"{RUNS}/{run_id}/solve", json={"plan": plan, "target": target})
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_target_is_solved_as_by_the_contract_and_previewed(http, finished):
    target = {"kind": "macs", "value": 0.4, "relative": True}
    answer = asked(http, finished.id, target, scope="local", round_to=2)
    plan = Plan(ratio=0.0, epoch=3, scope="local", round_to=2)
    wanted = solve(SHAPE, raw_scales(3), plan, Target.model_validate(target))
    assert Plan.model_validate(answer["plan"]) == wanted.plan
    assert (answer["reached"], answer["value"], answer["bound"]) == (
        True,
        wanted.value,
        wanted.bound,
    )
    assert answer["basis"] == "exact"
    shown = http.post(f"{RUNS}/{finished.id}/preview", json={"plan": answer["plan"]}).json()
    assert shown == answer["preview"]
    assert shown["cost"]["macs"] == answer["value"]


def test_a_target_out_of_reach_says_what_can_be_had(http, finished):
    target = {"kind": "macs", "value": 0.01, "relative": True}
    answer = asked(http, finished.id, target, locks=["a"])
    assert answer["reached"] is False
    assert answer["bound"] == cost(SHAPE, [8, 3]).macs
    assert answer["preview"]["kept"] == {"a": 8, "b": 3}


def test_an_accuracy_is_looked_up_on_the_curve(http, finished):
    answer = asked(http, finished.id, {"kind": "drop", "value": 0.011})
    assert (answer["reached"], answer["basis"]) == (True, "curve")
    assert answer["preview"]["accuracy"]["kind"] == "measured"
    assert answer["preview"]["removed"] == 10
    locked = asked(http, finished.id, {"kind": "accuracy", "value": 0.89}, locks=["a"])
    assert locked["basis"] == "other_curve"
    assert locked["preview"]["kept"]["a"] == 8


def test_an_accuracy_needs_a_curve(http, finished):
    target = {"kind": "accuracy", "value": 0.9}
    error = refused(
        http.post(f"{RUNS}/{finished.id}/solve", json={"plan": {"epoch": 1}, "target": target})
    )
    assert error["field"] == "target.kind"
    assert "not measured yet" in error["message"]
    assert "curve" in error["hint"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"target": {"kind": "flops", "value": 1}}, "target.kind"),
        ({"target": {"kind": "macs", "value": -1}}, "target.value"),
        ({"target": {"kind": "accuracy", "value": 90}}, "target"),
        ({"target": {"kind": "macs", "value": 1}, "plan": {"locks": ["c"]}}, "plan.locks"),
        (
            {"target": {"kind": "macs", "value": 1}, "plan": {"criterion": "tayler"}},
            "plan.criterion",
        ),
        (
            {
                "target": {"kind": "macs", "value": 1},
                "plan": {"locks": ["a"], "overrides": {"a": 0.5}},
            },
            "plan",
        ),
        ({"target": {"kind": "bytes", "value": 1}}, "target.kind"),
        ({}, "target"),
    ],
)
def test_a_target_that_cannot_be_used_is_refused_at_its_field(http, finished, body, field):
    assert refused(http.post(f"{RUNS}/{finished.id}/solve", json=body))["field"] == field


def test_a_preview_names_the_layers_that_rounding_made_larger(http, finished):
    plan = {"ratio": 0.5, "round_to": 8}
    shown = http.post(f"{RUNS}/{finished.id}/preview", json={"plan": plan}).json()
    wanted = select(SHAPE, raw_scales(3), Plan(**plan))
    assert shown["rounded_up"] == list(wanted.rounded_up) != []
    assert shown["file_bytes"] is None  # this network was recorded without its tensors
    assert shown["accuracy"] is None  # such cuts are not those of the curve


def test_another_criterion_ranks_once_its_scores_are_there(http, finished, store):
    plan = {"ratio": 0.5, "criterion": "taylor"}
    error = refused(http.post(f"{RUNS}/{finished.id}/preview", json={"plan": plan}), 409)
    assert (error["code"], error["field"]) == ("score_missing", "plan.criterion")
    assert "POST" in error["hint"]
    with store.write() as session:
        scores.put(session, finished.id, 3, "taylor", RANKED)
    shown = http.post(f"{RUNS}/{finished.id}/preview", json={"plan": plan}).json()
    assert shown["digest"] == select(SHAPE, RANKED, Plan(**plan)).digest


def test_a_cut_by_missing_scores_is_queued_and_its_job_computes_them(http, finished, store):
    plan = {"ratio": 0.5, "criterion": "taylor"}
    answer = http.post(f"{RUNS}/{finished.id}/prune", json={"plan": plan})
    assert answer.status_code == 202
    assert answer.json()["job"]["payload"]["plan"]["criterion"] == "taylor"
    measured = http.post(f"{RUNS}/{finished.id}/evaluate", json={"plan": plan})
    assert measured.status_code == 202
    assert sorted(active(store, finished.id)) == ["evaluate", "prune"]


@pytest.mark.parametrize("route", ["preview", "evaluate", "prune"])
def test_an_unknown_criterion_names_the_known_ones(http, finished, store, route):
    plan = {"ratio": 0.5, "criterion": "tylor"}
    error = refused(http.post(f"{RUNS}/{finished.id}/{route}", json={"plan": plan}))
    assert error["field"] == "plan.criterion"
    assert "taylor" in error["hint"]
    assert active(store, finished.id) == []


def test_scores_are_served_as_bytes_with_an_etag(http, scored):
    path = f"{RUNS}/{scored.id}/scores/3"
    answer = http.get(path, params={"criterion": "taylor"})
    assert np.frombuffer(answer.content, "<f4").tolist() == RANKED.tolist()
    again = http.get(
        path, params={"criterion": "taylor"}, headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304
    plain = http.get(path)
    assert np.frombuffer(plain.content, "<f4").tolist() == raw_scales(3).tolist()


def test_scores_that_are_not_there_say_how_to_get_them(http, finished):
    path = f"{RUNS}/{finished.id}/scores"
    error = refused(http.get(f"{path}/3", params={"criterion": "taylor"}), 404)
    assert "POST" in error["hint"]
    assert "no snapshot" in refused(http.get(f"{path}/9"), 404)["message"]


def test_scores_are_computed_once(http, store, finished):
    body = {"epoch": 3, "criterion": "taylor"}
    first = http.post(f"{RUNS}/{finished.id}/scores", json=body)
    assert first.status_code == 202
    again = http.post(f"{RUNS}/{finished.id}/scores", json={"criterion": "taylor"})
    assert again.json()["job"]["id"] == first.json()["job"]["id"]
    assert again.json()["epoch"] == 3
    assert active(store, finished.id) == ["score"]
    with store.read() as session:
        assert jobs.get(session, first.json()["job"]["id"]).epoch == 3  # pins the weights


def test_known_scores_queue_nothing(http, store, scored):
    for criterion in ("taylor", "importance"):
        answer = http.post(f"{RUNS}/{scored.id}/scores", json={"criterion": criterion})
        assert answer.status_code == 200
        assert answer.json() == {"job": None, "epoch": 3, "criterion": criterion}
    assert active(store, scored.id) == []


def test_scores_need_weights_and_a_known_name(http, finished):
    path = f"{RUNS}/{finished.id}/scores"
    gone = refused(http.post(path, json={"epoch": 0, "criterion": "taylor"}), 409)
    assert gone["code"] == "weights_gone"
    error = refused(http.post(path, json={"criterion": "tylor"}))
    assert error["field"] in ("criterion", "plan.criterion")


def protect(http, run_id, layers):
    return http.patch(f"{RUNS}/{run_id}", json={"protected": layers})


def test_a_protected_layer_is_left_whole_by_every_plan(http, finished):
    assert protect(http, finished.id, ["b", "a", "b"]).json()["protected"] == ["a", "b"]
    assert protect(http, finished.id, ["a"]).json()["protected"] == ["a"]
    assert http.get(f"{RUNS}/{finished.id}").json()["protected"] == ["a"]
    plan = {"ratio": 0.6}
    shown = http.post(f"{RUNS}/{finished.id}/preview", json={"plan": plan}).json()
    assert shown["kept"]["a"] == 8
    queued = http.post(f"{RUNS}/{finished.id}/prune", json={"plan": plan}).json()["job"]
    assert queued["payload"]["plan"]["locks"] == ["a"]
    solved = asked(http, finished.id, {"kind": "params", "value": 0.5, "relative": True})
    assert solved["plan"]["locks"] == ["a"]
    assert protect(http, finished.id, []).json()["protected"] == []
    dense = http.post(f"{RUNS}/{finished.id}/preview", json={"plan": {"ratio": 0.0}}).json()
    assert dense["cost"] == vars(dense_cost(SHAPE))


def test_an_override_of_a_protected_layer_is_a_contradiction_at_its_field(http, finished):
    protect(http, finished.id, ["a"])
    plan = {"ratio": 0.5, "overrides": {"a": 0.1}}
    for route in ("preview", "evaluate", "prune"):
        error = refused(http.post(f"{RUNS}/{finished.id}/{route}", json={"plan": plan}))
        assert (error["code"], error["field"]) == ("impossible_plan", "plan.overrides.a")
        assert "protects" in error["message"]


def test_only_layers_of_the_network_can_be_protected(http, store, finished):
    error = refused(protect(http, finished.id, ["a", "c"]))
    assert error["field"] == "protected"
    assert "a, b" in error["message"]
    with store.read() as session:
        assert not runs.get(session, finished.id).protected


def test_a_run_without_a_network_has_no_layers_to_protect(http, store):
    run_id, _ = add_run(store)
    assert "no network yet" in refused(protect(http, run_id, ["a"]), 409)["message"]


def test_the_clients_ask_for_the_same(recede, scored):
    found = recede.solve(scored.id, Target(kind="macs", value=0.5, relative=True))
    assert found.reached
    assert recede.preview(scored.id, found.plan) == found.preview
    np.testing.assert_array_equal(recede.scores(scored.id, 3, "taylor"), RANKED)
    assert recede.compute_scores(scored.id, "taylor").job is None
    assert recede.protect_layers(scored.id, ["b"]).protected == ["b"]
