"""Preview, evaluate, curve and prune."""

from __future__ import annotations

import pytest

from recede.contract.cut.selection import select
from recede.contract.network.cost import cost, dense_cost
from recede.contract.spec.run import Plan
from recede.store.database.engine import Store
from recede.store.queue import jobs
from tests.backend.api.routes.training.test_runs import refused
from tests.backend.store.samples import (
    SHAPE,
    add_run,
    raw_scales,
)

RUNS = "/api/v1/runs"

BAD_PLANS = [
    ({"ratio": 1.0}, "plan.ratio", ["1.0", "at least 0 and below 1"]),
    ({"ratio": -0.1}, "plan.ratio", ["-0.1", "at least 0 and below 1"]),
    ({"ratio": "half"}, "plan.ratio", ["'half'", "a number"]),
    ({"threshold": -1}, "plan.threshold", ["at least 0"]),
    ({}, "plan", ["ratio", "threshold"]),
    ({"ratio": 0.5, "threshold": 0.1}, "plan", ["not both"]),
    ({"ratio": 0.5, "scope": "layer"}, "plan.scope", ["'global'", "'local'"]),
    ({"ratio": 0.5, "epoch": 99}, "plan.epoch", ["99", "0 to 3"]),
    ({"ratio": 0.5, "epoch": 10**20}, "plan.epoch", ["10000"]),
    ({"ratio": 0.5, "locks": ["c"]}, "plan.locks", ["'c'", "a, b"]),
    ({"ratio": 0.5, "overrides": {"c": 0.1}}, "plan.overrides.c", ["'c'"]),
    ({"ratio": 0.5, "overrides": {"a": 1}}, "plan.overrides.a", ["below 1"]),
    ({"ratio": 0.5, "locks": ["a"], "overrides": {"a": 0.1}}, "plan", ["both"]),
    ({"ratio": 0.5, "rato": 0.5}, "plan.rato", ["Did you mean 'ratio'"]),
]


def active(store: Store, run_id: str) -> list[str]:
    with store.read() as session:
        return [job.kind for job in jobs.active(session, run_id) if job.kind != "train"]


@pytest.mark.parametrize("route", ["preview", "evaluate", "prune"])
@pytest.mark.parametrize(("plan", "field", "words"), BAD_PLANS)
def test_a_bad_plan_is_refused_at_its_field_and_nothing_is_queued(
    http, store, finished, route, plan, field, words
):
    error = refused(http.post(f"{RUNS}/{finished.id}/{route}", json={"plan": plan}))
    assert error["field"] == field
    told = f"{error['message']} {error.get('hint', '')}"
    assert [word for word in words if word not in told] == []
    assert active(store, finished.id) == []


@pytest.mark.parametrize("route", ["preview", "evaluate", "prune"])
def test_a_run_without_epochs_cannot_be_cut_yet(http, store, route):
    run_id, _ = add_run(store)
    answer = http.post(f"{RUNS}/{run_id}/{route}", json={"plan": {"ratio": 0.5}})
    assert "no finished epoch" in refused(answer, 409)["message"]
    assert active(store, run_id) == []


def test_a_preview_is_exact(http, finished):
    answer = http.post(f"{RUNS}/{finished.id}/preview", json={"plan": {"ratio": 0.4}}).json()
    chosen = select(SHAPE, raw_scales(3), Plan(ratio=0.4))
    assert answer["epoch"] == 3
    assert answer["kept"] == dict(zip(["a", "b"], chosen.kept, strict=True))
    assert answer["removed"] == chosen.removed
    assert answer["ratio"] == chosen.ratio
    assert answer["digest"] == chosen.digest
    assert answer["cost"] == vars(cost(SHAPE, chosen.kept))
    assert answer["dense"] == vars(dense_cost(SHAPE))


def test_a_preview_names_the_layers_held_at_their_minimum(http, finished):
    answer = http.post(f"{RUNS}/{finished.id}/preview", json={"plan": {"ratio": 0.9}}).json()
    assert answer["held_at_minimum"] == ["a", "b"]
    assert answer["kept"] == {"a": 3, "b": 3}
    assert answer["ratio"] < 0.9


def accuracy(http, run_id, plan):
    return http.post(f"{RUNS}/{run_id}/preview", json={"plan": plan}).json()["accuracy"]


def test_an_accuracy_says_whether_it_was_measured(http, finished):
    measured = accuracy(http, finished.id, {"ratio": 0.5})
    assert (measured["kind"], measured["value"], measured["n"]) == ("measured", 0.89, 100)
    estimated = accuracy(http, finished.id, {"ratio": 0.6})
    assert estimated["kind"] == "estimated"
    assert 0.4 < estimated["value"] < 0.89
    assert estimated["low"] < 0.4
    assert estimated["high"] > 0.89


@pytest.mark.parametrize(
    "plan",
    [
        {"ratio": 0.6, "locks": ["a"]},
        {"ratio": 0.6, "overrides": {"a": 0.1}},
        {"ratio": 0.6, "scope": "local"},
        {"ratio": 0.9, "epoch": 0},
        {"ratio": 0.6, "epoch": 2},
    ],
)
def test_what_does_not_lie_on_the_curve_is_not_estimated(http, finished, plan):
    assert accuracy(http, finished.id, plan) is None


def test_evaluating_a_known_cut_answers_at_once(http, store, finished):
    answer = http.post(f"{RUNS}/{finished.id}/evaluate", json={"plan": {"ratio": 0.5}})
    assert answer.status_code == 200
    assert answer.json()["job"] is None
    result = answer.json()["evaluation"]
    assert (result["accuracy"]["value"], result["accuracy"]["kind"]) == (0.89, "measured")
    assert result["epoch"] == 3
    assert active(store, finished.id) == []


def test_evaluating_a_new_cut_queues_it_with_its_epoch_fixed(http, finished):
    answer = http.post(f"{RUNS}/{finished.id}/evaluate", json={"plan": {"ratio": 0.3}})
    assert answer.status_code == 202
    assert answer.json()["evaluation"] is None
    job = answer.json()["job"]
    assert (job["kind"], job["lane"], job["state"]) == ("evaluate", "interactive", "queued")
    assert job["payload"]["plan"]["epoch"] == 3


def test_asking_for_the_same_cut_again_queues_nothing_more(http, store, finished):
    body = {"plan": {"ratio": 0.3}}
    first = http.post(f"{RUNS}/{finished.id}/evaluate", json=body).json()["job"]
    again = http.post(f"{RUNS}/{finished.id}/evaluate", json=body).json()["job"]
    assert again["id"] == first["id"]
    assert active(store, finished.id) == ["evaluate"]


def test_a_newer_choice_cancels_the_older(http, finished):
    first = http.post(f"{RUNS}/{finished.id}/evaluate", json={"plan": {"ratio": 0.3}}).json()
    second = http.post(f"{RUNS}/{finished.id}/evaluate", json={"plan": {"ratio": 0.35}}).json()
    states = {
        job["id"]: http.get(f"/api/v1/jobs/{job['id']}").json()["state"]
        for job in (first["job"], second["job"])
    }
    assert states == {first["job"]["id"]: "cancelled", second["job"]["id"]: "queued"}


@pytest.mark.parametrize("route", ["evaluate", "prune"])
def test_weights_that_were_not_kept_name_the_nearest(http, store, finished, route):
    body = {"plan": {"ratio": 0.5, "epoch": 1}}
    error = refused(http.post(f"{RUNS}/{finished.id}/{route}", json=body), 409)
    assert (error["code"], error["field"]) == ("weights_gone", "plan.epoch")
    assert error["hint"] == "The nearest is epoch 2."
    assert active(store, finished.id) == []


def test_a_prune_is_queued_with_its_formats(http, finished):
    body = {"plan": {"threshold": 0.5}, "formats": ["safetensors", "safetensors"]}
    answer = http.post(f"{RUNS}/{finished.id}/prune", json=body)
    assert answer.status_code == 202
    assert set(answer.json()) == {"job"}
    payload = answer.json()["job"]["payload"]
    assert payload["formats"] == ["safetensors"]
    assert (payload["plan"]["threshold"], payload["plan"]["epoch"]) == (0.5, 3)


def test_an_int8_file_brings_the_onnx_file_that_it_is_made_of(http, finished):
    body = {"plan": {"ratio": 0.5}, "formats": ["int8", "pt2"]}
    answer = http.post(f"{RUNS}/{finished.id}/prune", json=body)
    formats = answer.json()["job"]["payload"]["formats"]
    assert formats == ["safetensors", "onnx", "int8", "pt2"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"formats": ["tflite"]}, "formats.0"),
        ({"formats": "pt2"}, "formats"),
        ({"finetune": {}}, "finetune"),
        ({"plan": None}, "plan"),
    ],
)
def test_a_prune_of_another_form_is_refused(http, store, finished, change, field):
    body = {"plan": {"ratio": 0.5}, **change}
    assert refused(http.post(f"{RUNS}/{finished.id}/prune", json=body))["field"] == field
    assert active(store, finished.id) == []
