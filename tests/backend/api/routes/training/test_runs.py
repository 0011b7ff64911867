"""/runs: what is submitted, listed, changed and deleted, and everything that is refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from recede.contract.spec.run import (
    Init,
    Plan,
    RunSpec,
)
from recede.contract.states import Lane, State
from recede.store.database.engine import Store
from recede.store.queue import jobs, lease
from tests.backend.store.samples import add_epochs, add_run

RUNS = "/api/v1/runs"
SPEC = {"dataset": "digits", "architecture": "tiny", "method": "rni"}


def n_jobs(store: Store) -> int:
    with store.read() as session:
        return len(jobs.page(session))


def refused(answer: httpx.Response, status: int = 422) -> dict[str, Any]:
    """The error of an answer, after a look at its shape."""
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    error = answer.json()["error"]
    assert {"code", "message"} <= set(error) <= {"code", "message", "field", "hint", "details"}
    words = {name: part for name, part in error.items() if name != "details"}
    assert all(isinstance(part, str) and part for part in words.values())
    return error


def test_a_submission_answers_with_the_run_and_its_job(http):
    answer = http.post(RUNS, json={**SPEC, "method_params": {"lam": 0.03}})
    assert answer.status_code == 201
    assert set(answer.json()) == {"run", "job"}
    run, job = answer.json()["run"], answer.json()["job"]
    assert (run["state"], job["state"], job["kind"]) == ("queued", "queued", "train")
    assert job["run_id"] == run["id"]
    assert run["queue_position"] == job["queue_position"] == 0
    # Every parameter is there, with the default that was meant.
    assert run["spec"]["method_params"] == {"lam": 0.03, "shift": 3.0}
    assert run["spec"]["architecture_params"] == {"width": 1.0}
    assert (run["spec"]["epochs"], run["spec"]["seed"]) == (10, 0)


def test_the_same_idempotency_key_queues_once(http, store):
    key = {"Idempotency-Key": "abc"}
    first = http.post(RUNS, json=SPEC, headers=key).json()
    again = http.post(RUNS, json=SPEC, headers=key).json()
    assert again["run"]["id"] == first["run"]["id"]
    assert n_jobs(store) == 1
    other = http.post(RUNS, json={**SPEC, "seed": 1}, headers=key)
    assert refused(other, 409)["field"] == "Idempotency-Key"
    assert n_jobs(store) == 1


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"dataset": "digit"}, "dataset", ["'digit'", "digits", "Did you mean"]),
        ({"architecture": "vgg99"}, "architecture", ["'vgg99'", "tiny"]),
        ({"method": "rnj"}, "method", ["'rnj'", "rni"]),
        ({"epoch": 3}, "epoch", ["Unknown field", "epochs"]),
        ({"epochs": -1}, "epochs", ["-1", "at least 0"]),
        ({"epochs": 0}, "epochs", ["looks at given weights", "none are given"]),
        ({"epochs": 1.5}, "epochs", ["1.5", "whole number"]),
        ({"epochs": "many"}, "epochs", ["'many'", "whole number"]),
        ({"epochs": 10**30}, "epochs", ["at most 10000"]),
        ({"batch_size": 1}, "batch_size", ["at least 2"]),
        ({"batch_size": 5000}, "batch_size", ["5000", "1294"]),
        ({"lr": 0}, "lr", ["above 0"]),
        ({"lr": -1}, "lr", ["above 0 and at most 10"]),
        ({"seed": -1}, "seed", ["at least 0"]),
        ({"device": "gpu"}, "device", ["'gpu'", "auto, cpu"]),
        ({"device": "cuda:7"}, "device", ["cuda:7", "cpu"]),
        ({"val_fraction": 0}, "val_fraction", ["above 0"]),
        ({"val_fraction": 0.001}, "val_fraction", ["10 classes"]),
        ({"name": "x" * 121}, "name", ["at most 120"]),
        ({"name": "a\0b"}, "name", ["NUL"]),
        ({"method_params": {"lam": -1}}, "method_params.lam", ["-1", "between 0 and 10"]),
        ({"method_params": {"lam": "x"}}, "method_params.lam", ["'x'", "a number"]),
        ({"method_params": {"lam": 10**400}}, "method_params.lam", ["finite"]),
        ({"method_params": {"lamb": 1}}, "method_params.lamb", ["lamb", "lam"]),
        ({"method_params": []}, "method_params", ["an object"]),
        (
            {"architecture_params": {"width": 0.01}},
            "architecture_params.width",
            ["0.01", "0.05", "fewer than 3 channels"],
        ),
        ({"architecture": "large"}, "architecture", ["224", "32"]),
        ({"dataset": "gone"}, "dataset", ["missing", "put them into"]),
        ({"dataset": None}, "dataset", ["null", "text"]),
    ],
)
def test_bad_input_is_refused_at_its_field_and_nothing_is_queued(
    http, store, change, field, words
):
    error = refused(http.post(RUNS, json={**SPEC, **change}))
    assert error["field"] == field
    told = f"{error['message']} {error.get('hint', '')}"
    assert [word for word in words if word not in told] == []
    assert n_jobs(store) == 0


@pytest.mark.parametrize("name", ["dataset", "architecture", "method"])
def test_a_missing_name_is_said_at_its_field(http, name):
    body = {key: value for key, value in SPEC.items() if key != name}
    error = refused(http.post(RUNS, json=body))
    assert error["field"] == name
    assert "missing" in error["message"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "not valid JSON"),
        (b"", "no JSON body"),
        (b"[1]", "object in braces"),
        (b'{"lr": NaN, "dataset": "digits", "architecture": "tiny", "method": "rni"}', "finite"),
        (b"\xff\xfe", "not valid JSON"),
        (b"9" * 5000, "read"),
    ],
)
def test_a_body_that_is_no_spec_is_refused_in_words(http, store, body, words):
    answer = http.post(RUNS, content=body, headers={"Content-Type": "application/json"})
    assert words in refused(answer)["message"]
    assert n_jobs(store) == 0


def test_a_body_of_another_type_says_what_to_send(http):
    answer = http.post(RUNS, content=b"a=1", headers={"Content-Type": "text/plain"})
    assert "application/json" in refused(answer)["hint"]


def test_without_a_worker_the_answer_is_to_try_again(settings, store):
    from recede.api.app import create_app
    from tests.backend.conftest import BASE, InProcess

    lonely = create_app(settings, store)
    with httpx.Client(transport=InProcess(lonely), base_url=BASE) as http:
        answer = http.post(RUNS, json=SPEC)
        assert refused(answer, 503)["code"] == "unavailable"
        assert int(answer.headers["Retry-After"]) > 0
        assert refused(http.get("/api/v1/catalog"), 503)["hint"]


def test_lists_go_page_by_page(http, store):
    made = [add_run(store)[0] for _ in range(5)]
    seen, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = http.get(RUNS, params=params).json()
        assert set(page) == {"items", "next"}
        seen += [run["id"] for run in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == made[::-1]


def test_lists_are_filtered(http, store):
    run_id, job_id = add_run(store)
    add_run(store)
    with store.write() as session:
        jobs.request_cancel(session, job_id)
    found = http.get(RUNS, params={"state": "cancelled", "search": "RNI"}).json()["items"]
    assert [run["id"] for run in found] == [run_id]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": "done"}, "state"),
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"cursor": "%%%"}, "cursor"),
        ({"cursor": "WzFd"}, "cursor"),
        ({"cursor": "é"}, "cursor"),
        ({"search": "a\0"}, "search"),
    ],
)
def test_bad_questions_are_refused_at_their_field(http, query, field):
    assert refused(http.get(RUNS, params=query))["field"] == field


def test_a_run_tells_all_that_a_page_shows(http, finished):
    run = http.get(f"{RUNS}/{finished.id}").json()
    assert run["epochs_done"] == run["best_epoch"] == 3
    assert run["val_accuracy"]["kind"] == "measured"
    assert (run["val_accuracy"]["value"], run["val_accuracy"]["n"]) == (0.9, 100)
    assert run["val_accuracy"]["low"] < 0.9 < run["val_accuracy"]["high"]
    assert run["test_accuracy"] is None
    assert run["disk_bytes"] == 2 * (800 + 2)
    assert run["stalled_s"] is None


def test_progress_and_silence_are_shown(http, store):
    run_id, _ = add_run(store)
    with store.write() as session:
        held = lease.claim(session, owner="w", lanes=[Lane.TRAINING], device="cpu")
        assert held is not None
        lease.beat(session, held, {"stage": "training", "eta_s": 12.5})
    run = http.get(f"{RUNS}/{run_id}").json()
    assert (run["state"], run["eta_s"], run["stalled_s"]) == ("running", 12.5, None)
    with store.write() as session:
        jobs.get(session, held.job_id).heartbeat_at -= 41
    run = http.get(f"{RUNS}/{run_id}").json()
    assert run["state"] == "running"
    assert 40 < run["stalled_s"] < 100


def test_a_person_may_change_name_and_notes_only(http, finished):
    path = f"{RUNS}/{finished.id}"
    assert http.patch(path, json={"name": "best"}).json()["name"] == "best"
    changed = http.patch(path, json={"notes": "try λ 0.1"}).json()
    assert (changed["name"], changed["notes"]) == ("best", "try λ 0.1")
    assert refused(http.patch(path, json={"name": ""}))["field"] == "name"
    assert refused(http.patch(path, json={"state": "succeeded"}))["field"] == "state"


def test_cancelling_a_queued_run_ends_it(http, store):
    run_id, _ = add_run(store)
    assert http.post(f"{RUNS}/{run_id}/cancel").json()["state"] == "cancelled"
    assert "nothing to cancel" in refused(http.post(f"{RUNS}/{run_id}/cancel"), 409)["hint"]


def test_cancelling_a_running_run_shows_at_once(http, store):
    run_id, _ = add_run(store)
    with store.write() as session:
        lease.claim(session, owner="w", lanes=[Lane.TRAINING], device="cpu")
    run = http.post(f"{RUNS}/{run_id}/cancel").json()
    assert run["state"] == "running"
    assert run["cancel_requested_at"] is not None


def test_a_cancelled_run_is_resumed_as_a_new_job(http, store):
    run_id, job_id = add_run(store)
    assert refused(http.post(f"{RUNS}/{run_id}/resume"), 409)
    http.post(f"{RUNS}/{run_id}/cancel")
    answer = http.post(f"{RUNS}/{run_id}/resume")
    assert answer.status_code == 202
    assert set(answer.json()) == {"job"}
    assert answer.json()["job"]["id"] != job_id
    assert http.get(f"{RUNS}/{run_id}").json()["state"] == "queued"


def test_a_failure_is_told_with_the_run(http, store):
    run_id, _ = add_run(store)
    with store.write() as session:
        held = lease.claim(session, owner="w", lanes=[Lane.TRAINING], device="cpu")
        assert held is not None
        error = {"code": "diverged", "message": "The loss is NaN.", "hint": "Lower lr."}
        lease.finish(session, held, State.FAILED, error=error)
    told = http.get(f"{RUNS}/{run_id}").json()["error"]
    assert told == {**error, "field": None, "details": None}


def test_deleting_frees_the_files_and_says_how_much(http, store, settings, finished):
    folder = settings.artifacts / "runs" / finished.id
    assert refused(http.delete(f"{RUNS}/{finished.id}"), 409)
    assert folder.is_dir()
    http.post(f"{RUNS}/{finished.id}/cancel")
    assert http.delete(f"{RUNS}/{finished.id}").json() == {"freed_bytes": 2 * (800 + 2)}
    assert not folder.exists()
    assert refused(http.get(f"{RUNS}/{finished.id}"), 404)


@pytest.mark.parametrize("run_id", ["nope", "..", "%2e%2e%2fetc", "a%00b", "A" * 65, "a b", "é"])
@pytest.mark.parametrize(
    ("method", "rest"),
    [("GET", ""), ("DELETE", ""), ("GET", "/network"), ("POST", "/cancel"), ("POST", "/resume")],
)
def test_ids_that_are_none_are_not_found(http, settings, run_id, method, rest):
    (settings.artifacts / "runs").mkdir(exist_ok=True)
    assert refused(http.request(method, f"{RUNS}/{run_id}{rest}"), 404)["code"] == "not_found"
    assert settings.data.is_dir()


def test_a_run_without_epochs_has_no_best_one(http, store):
    run_id, _ = add_run(store)
    assert http.get(f"{RUNS}/{run_id}").json()["best_epoch"] is None
    add_epochs(store, run_id, 1)
    assert http.get(f"{RUNS}/{run_id}").json()["best_epoch"] == 1


def test_runs_are_listed_by_the_run_whose_weights_they_started_from(http, store):
    parent, _ = add_run(store)
    child = RunSpec.model_validate({**SPEC, "init": Init(run=parent, plan=Plan(ratio=0.5))})
    child_id, _ = add_run(store, child)
    add_run(store)
    listed = http.get(f"{RUNS}?parent={parent}").json()["items"]
    assert [one["id"] for one in listed] == [child_id]
    assert http.get(f"{RUNS}?parent={child_id}").json()["items"] == []
    assert refused(http.get(f"{RUNS}?parent=No!"))["field"] == "parent"
