"""Jobs and their logs."""

from __future__ import annotations

import pytest

from recede.contract.states import (
    JobKind,
    Lane,
    State,
)
from recede.store.queue import jobs, lease
from tests.backend.api.routes.training.test_runs import refused
from tests.backend.store.samples import add_run

JOBS = "/api/v1/jobs"


@pytest.fixture
def log(settings, finished):
    path = settings.artifacts / "runs" / finished.id / f"job-{finished.job_id}.log"

    def write(text: bytes) -> None:
        with path.open("ab") as file:
            file.write(text)

    return write


def end(store, job_id: int) -> None:
    with store.write() as session:
        held = lease.claim(session, owner="w", lanes=[Lane.TRAINING], device="cpu")
        assert held is not None
        assert held.job_id == job_id
        lease.finish(session, held, State.SUCCEEDED, result={"epochs": 3})


def test_jobs_are_listed_newest_first_page_by_page(http, store):
    made = [add_run(store)[1] for _ in range(3)]
    first = http.get(JOBS, params={"limit": 2}).json()
    rest = http.get(JOBS, params={"limit": 2, "cursor": first["next"]}).json()
    assert [job["id"] for job in first["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None
    assert [job["queue_position"] for job in first["items"]] == [2, 1]


def test_jobs_are_filtered(http, store):
    run_id, _ = add_run(store)
    add_run(store)
    with store.write() as session:
        curve = jobs.enqueue(session, run_id, JobKind.CURVE, {}).id

    def found(**params):
        return [job["id"] for job in http.get(JOBS, params=params).json()["items"]]

    assert found(kind="curve") == [curve]
    assert len(found(run_id=run_id)) == 2
    assert found(state="running") == []
    assert refused(http.get(JOBS, params={"kind": "bake"}))["field"] == "kind"
    assert refused(http.get(JOBS, params={"cursor": "x"}))["field"] == "cursor"


def test_a_job_is_cancelled_once(http, store):
    _, job_id = add_run(store)
    assert http.post(f"{JOBS}/{job_id}/cancel").json()["state"] == "cancelled"
    assert "already cancelled" in refused(http.post(f"{JOBS}/{job_id}/cancel"), 409)["message"]


def test_a_finished_job_tells_its_result(http, store, finished):
    end(store, finished.job_id)
    job = http.get(f"{JOBS}/{finished.job_id}").json()
    assert (job["state"], job["result"], job["attempts"]) == ("succeeded", {"epochs": 3}, 1)


def test_a_log_is_read_on_from_where_one_was(http, store, finished, log):
    path = f"{JOBS}/{finished.job_id}/log"
    assert http.get(path).json() == {"lines": [], "next": 0, "complete": False}
    log("epoch 1 λ\nepoch".encode())
    first = http.get(path).json()
    assert first == {"lines": ["epoch 1 λ"], "next": 11, "complete": False}
    log(b" 2\n")
    second = http.get(path, params={"after": first["next"]}).json()
    assert second["lines"] == ["epoch 2"]
    log(b"last words without an end")
    end(store, finished.job_id)
    third = http.get(path, params={"after": second["next"]}).json()
    assert third["lines"] == ["last words without an end"]
    assert third["complete"] is True
    done = http.get(path, params={"after": third["next"]}).json()
    assert done == {"lines": [], "next": third["next"], "complete": True}


def test_a_long_log_comes_in_pieces_that_lose_nothing(http, store, finished, log):
    lines = [f"line {number} {'x' * 90}" for number in range(8000)]
    log("\n".join(lines).encode() + b"\n")
    end(store, finished.job_id)
    seen, after, complete = [], 0, False
    while not complete:
        piece = http.get(f"{JOBS}/{finished.job_id}/log", params={"after": after}).json()
        seen += piece["lines"]
        after, complete = piece["next"], piece["complete"]
    assert seen == lines


def test_bytes_that_are_no_text_do_not_break_the_log(http, finished, log):
    log(b"\xff\xfe\n")
    assert http.get(f"{JOBS}/{finished.job_id}/log").json()["lines"] == ["\ufffd\ufffd"]


def test_an_offset_behind_the_end_reads_nothing(http, finished, log):
    log(b"one\n")
    answer = http.get(f"{JOBS}/{finished.job_id}/log", params={"after": 10**6}).json()
    assert (answer["lines"], answer["next"]) == ([], 4)
    assert refused(http.get(f"{JOBS}/{finished.job_id}/log?after=-1"))["field"] == "after"


def test_the_whole_log_is_a_text_file(http, finished, log):
    path = f"{JOBS}/{finished.job_id}/log.txt"
    assert "no log yet" in refused(http.get(path), 404)["message"]
    log(b"one\ntwo\n")
    answer = http.get(path)
    assert answer.text == "one\ntwo\n"
    assert f"{finished.job_id}.log" in answer.headers["content-disposition"]


@pytest.mark.parametrize("job_id", ["x", "0", "-1", "99999999999999999999", "1.5", "٣", "1%00"])
@pytest.mark.parametrize("rest", ["", "/log", "/log.txt"])
def test_a_job_that_is_none_is_not_found(http, job_id, rest):
    assert refused(http.get(f"{JOBS}/{job_id}{rest}"), 404)["code"] == "not_found"
