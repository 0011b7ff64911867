"""/groups: a grid is queued whole or not at all, and its seeds are summed up."""

from __future__ import annotations

import statistics

import pytest

from recede.contract.states import Lane, State
from recede.store.database.engine import Store
from recede.store.experiments import runs
from recede.store.queue import lease
from tests.backend.api.routes.training.test_runs import (
    RUNS,
    SPEC,
    n_jobs,
    refused,
)
from tests.backend.store.samples import add_epochs, add_run

GROUPS = "/api/v1/groups"
AXES = {"method_params.lam": [0.01, 0.03], "seed": [0, 1, 2]}
BODY = {"spec": SPEC, "axes": AXES}


def finish(store: Store, *test_correct: int) -> list[str]:
    """Let a worker finish as many runs, in the order of the queue."""
    ended = []
    for correct in test_correct:
        with store.write() as session:
            held = lease.claim(session, owner="w", lanes=[Lane.TRAINING], device="cpu")
        assert held is not None
        add_epochs(store, held.run_id, 2)
        with store.write() as session:
            runs.set_results(session, held.run_id, test_correct=correct, n_test=100)
            lease.finish(session, held, State.SUCCEEDED)
        ended.append(held.run_id)
    return ended


def test_every_combination_is_queued_with_a_name_of_its_own(http, store):
    answer = http.post(GROUPS, json=BODY)
    assert answer.status_code == 201
    group, made = answer.json()["group"], answer.json()["runs"]
    assert [run["name"] for run in made][:4] == [
        "rni · tiny · digits · λ 0.01, seed 0",
        "rni · tiny · digits · λ 0.01, seed 1",
        "rni · tiny · digits · λ 0.01, seed 2",
        "rni · tiny · digits · λ 0.03, seed 0",
    ]
    assert group["name"] == "rni · tiny · digits · λ × seed"
    assert {run["group_id"] for run in made} == {group["id"]}
    assert [run["spec"]["method_params"]["lam"] for run in made] == 3 * [0.01] + 3 * [0.03]
    assert (group["counts"], group["axes"]) == ({"queued": 6}, AXES)
    assert group["runs"] == made
    assert n_jobs(store) == 6
    assert http.get(f"{GROUPS}/{group['id']}").json() == group
    listed = http.get(RUNS, params={"group": group["id"]}).json()["items"]
    assert {run["id"] for run in listed} == {run["id"] for run in made}


def test_the_same_idempotency_key_queues_a_grid_once(http, store):
    key = {"Idempotency-Key": "abc"}
    first = http.post(GROUPS, json=BODY, headers=key).json()["group"]["id"]
    assert http.post(GROUPS, json=BODY, headers=key).json()["group"]["id"] == first
    other = http.post(GROUPS, json={**BODY, "axes": {"seed": [1, 2]}}, headers=key)
    assert refused(other, 409)["field"] == "Idempotency-Key"
    assert n_jobs(store) == 6


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"axes": {}}, "axes", "2 to 64"),
        ({"axes": {"seed": [1]}}, "axes", "1 run;"),
        ({"axes": {"seed": list(range(65))}}, "axes", "65 runs"),
        ({"axes": {"sed": [1, 2]}}, "axes.sed", "Unknown axis"),
        ({"axes": {"seed": [1, 1]}}, "axes.seed", "twice"),
        ({"axes": {"seed": []}}, "axes.seed", "no values"),
        ({"axes": {"seed": 3}}, "axes.seed", "a list in brackets"),
        ({"axes": [1]}, "axes", "an object in braces"),
        ({"axes": {"seed": [0, -1]}}, "axes.seed", "seed was -1; it must be"),
        ({"axes": {"epochs": [1, "2"]}}, "axes.epochs", "epochs was '2'"),
        ({"axes": {"batch_size": [64, 5000]}}, "axes.batch_size", "5000"),
        ({"axes": {"schedule": ["step", "cosin"]}}, "axes.schedule", "one of"),
        ({"axes": {"method": ["rni", "rnj"]}}, "axes.method", "'rnj'"),
        ({"axes": {"method_params.lam": [0.1, -1]}}, "axes.method_params.lam", "-1"),
        ({"axes": {"method_params.lam": [0.1, "x"]}}, "axes.method_params.lam", "a number"),
        ({"axes": {"method_params.lamb": [1, 2]}}, "axes.method_params.lamb", "'lamb'"),
        ({"axes": {"architecture": ["tiny", "large"]}}, "axes.architecture", "224"),
        ({"axes": {"init.run": ["nope", "no"]}}, "axes.init.run", "no run 'nope'"),
        ({"axes": {"init.plan.ratio": [0.1, 0.2]}}, "spec.init", "give a file, published weights"),
        ({"spec": {**SPEC, "epochs": -1}}, "spec.epochs", "at least 0"),
        ({"spec": {**SPEC, "dataset": "gone"}}, "spec.dataset", "With λ 0.01, seed 0"),
        ({"spec": {"dataset": "digits"}}, "spec.architecture", "missing"),
        ({"spec": {**SPEC, "epoch": 1}}, "spec.epoch", "epochs"),
        ({"more": 1}, "more", "Unknown field"),
        ({"name": "x" * 121}, "name", "at most 120"),
    ],
)
def test_a_bad_grid_is_refused_at_its_field_and_nothing_is_queued(
    http, store, change, field, words
):
    error = refused(http.post(GROUPS, json={**BODY, **change}))
    assert (error["field"], words in f"{error['message']} {error.get('hint')}") == (field, True)
    assert n_jobs(store) == 0
    assert http.get(GROUPS).json() == {"items": [], "next": None}


def test_the_strength_that_fits_the_steps_is_chosen_for_each_run(http):
    body = {"spec": SPEC, "axes": {"epochs": [10, 20]}}
    made = http.post(GROUPS, json=body).json()["runs"]
    assert [run["spec"]["method_params"]["lam"] for run in made] == [0.6, 0.3]


def test_a_summary_joins_the_seeds_of_each_combination(http, store):
    group_id = http.post(GROUPS, json=BODY).json()["group"]["id"]
    finish(store, 80, 84, 91, 70)
    group = http.get(f"{GROUPS}/{group_id}").json()
    assert group["counts"] == {"succeeded": 4, "queued": 2}
    first, second = group["summary"]
    assert (first["values"], first["runs"], first["finished"]) == (
        {"method_params.lam": 0.01},
        3,
        3,
    )
    assert first["test_accuracy"] == {
        "mean": pytest.approx(0.85),
        "std": pytest.approx(statistics.stdev([0.80, 0.84, 0.91])),
        "n": 3,
    }
    assert first["val_accuracy"] == {"mean": 0.9, "std": 0.0, "n": 3}
    share = group["runs"][0]["polarisation"]["below_01"]
    assert first["receded"]["mean"] == pytest.approx(share)
    assert first["lossless_ratio"] is None
    assert (second["finished"], second["test_accuracy"]) == (1, {"mean": 0.7, "std": None, "n": 1})


def test_seeds_alone_are_one_row_and_without_seeds_each_run_is_one(http):
    seeds = http.post(GROUPS, json={"spec": SPEC, "axes": {"seed": [1, 2]}}).json()["group"]
    assert [(row["values"], row["runs"]) for row in seeds["summary"]] == [({}, 2)]
    rates = http.post(GROUPS, json={"spec": SPEC, "axes": {"lr": [0.1, 0.2]}}).json()["group"]
    assert [row["values"] for row in rates["summary"]] == [{"lr": 0.1}, {"lr": 0.2}]
    assert all(row["val_accuracy"] is None for row in rates["summary"])


def test_groups_are_listed_newest_first_page_by_page(http):
    body = {"spec": SPEC, "axes": {"seed": [1, 2]}}
    made = [http.post(GROUPS, json={**body, "name": n}).json()["group"]["id"] for n in "abc"]
    seen, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = http.get(GROUPS, params=params).json()
        seen += [group["id"] for group in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == made[::-1]
    assert refused(http.get(GROUPS, params={"limit": 51}))["field"] == "limit"


def test_a_group_is_cancelled_then_deleted_with_its_files(http, store, settings):
    group_id = http.post(GROUPS, json=BODY).json()["group"]["id"]
    (run_id,) = finish(store, 80)
    folder = settings.artifacts / "runs" / run_id
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"12345")
    assert "queued or running" in refused(http.delete(f"{GROUPS}/{group_id}"), 409)["message"]
    assert folder.is_dir()
    cancelled = http.post(f"{GROUPS}/{group_id}/cancel").json()
    assert cancelled["counts"] == {"succeeded": 1, "cancelled": 5}
    assert "nothing to cancel" in refused(http.post(f"{GROUPS}/{group_id}/cancel"), 409)["hint"]
    assert http.delete(f"{GROUPS}/{group_id}").json() == {"freed_bytes": 5}
    assert not folder.exists()
    assert refused(http.get(f"{GROUPS}/{group_id}"), 404)["code"] == "not_found"
    assert http.get(RUNS).json()["items"] == []


@pytest.mark.parametrize("group_id", ["nope", "%2e%2e%2fetc", "a%00b", "A" * 65, "a b"])
@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("DELETE", ""), ("POST", "/cancel")])
def test_ids_that_are_none_are_not_found(http, group_id, method, rest):
    assert refused(http.request(method, f"{GROUPS}/{group_id}{rest}"), 404)


def test_a_run_of_no_group_says_so(http, store):
    run_id, _ = add_run(store)
    run = http.get(f"{RUNS}/{run_id}").json()
    assert (run["group_id"], run["parent"], run["notices"]) == (None, None, [])
