"""What is told before and beside the work: checks, questions that are none, notices."""

from __future__ import annotations

import pytest

from recede.api.answers.training.reach import LOOKING, NO_WORKER
from recede.contract.network.reach import Reach, Share
from recede.store.experiments import runs
from recede.store.queue import reaches, workers
from tests.backend.api.routes.training.test_runs import (
    RUNS,
    SPEC,
    n_jobs,
    refused,
)
from tests.backend.catalog import CATALOG
from tests.backend.store.samples import add_run


@pytest.mark.parametrize(
    ("path", "known"),
    [
        (RUNS, "group"),
        ("/api/v1/jobs", "kind"),
        ("/api/v1/catalog", "none"),
        (f"{RUNS}/x", "none"),
    ],
)
def test_a_question_that_a_route_does_not_know_is_refused(http, path, known):
    error = refused(http.get(path, params={"serch": "a"}))
    assert error["field"] == "serch"
    assert known in error["message"]
    assert refused(http.delete(f"{RUNS}/x", params={"force": 1}))["field"] == "force"


def test_a_question_with_a_slip_names_the_one_that_was_meant(http):
    assert refused(http.get(RUNS, params={"serch": "a"}))["hint"] == "Did you mean 'search'?"


def test_checking_a_spec_fills_it_in_says_why_and_queues_nothing(http, store):
    answer = http.post(f"{RUNS}/check", json=SPEC)
    assert answer.status_code == 200
    checked = answer.json()
    assert set(checked) == {"spec", "steps", "reasons", "disk", "forecast", "reach"}
    assert checked["steps"] == 210
    assert checked["spec"]["method_params"] == {"lam": 0.6, "shift": 3.0}
    assert "0.6 = 125 ÷ 210 steps" in checked["reasons"]["method_params.lam"]
    assert n_jobs(store) == 0
    made = http.post(RUNS, json=SPEC).json()["run"]["spec"]
    assert made == checked["spec"]
    given = {**SPEC, "method_params": {"lam": 0.1}}
    assert http.post(f"{RUNS}/check", json=given).json()["reasons"] == {}


def reach_of(http, **change):
    return http.post(f"{RUNS}/check", json=SPEC | change).json()["reach"]


def test_a_check_has_a_worker_look_at_the_network_and_then_tells_both_shares(http, store):
    assert reach_of(http) == {"words": LOOKING, "inner": None, "all": None, "pending": True}
    inner, every = Share(params=0.001, macs=0.02), Share(params=0.76, macs=0.7)
    with store.write() as session:
        request = reaches.next_question(session)
        assert request.architecture == SPEC["architecture"]
        digits = CATALOG.dataset(SPEC["dataset"])
        images = (digits.channels, digits.image_size, digits.classes)
        assert (request.in_channels, request.image_size, request.classes) == images
        reaches.answer(session, request, reach=Reach(inner=inner, all=every))
    told = reach_of(http)
    assert (told["inner"], told["all"]) == (inner.model_dump(), every.model_dump())
    assert not told["pending"]
    assert told["words"].startswith(
        "At most 0.1 % of the parameters and 2.0 % of the multiply-adds"
    )
    assert told["words"].endswith(
        "With “all”: 76.0 % of the parameters and 70.0 % of the multiply-adds."
    )
    assert reach_of(http, prunable="all")["words"].startswith("At most 76.0 % of the parameters")
    with store.read() as session:
        assert reaches.next_question(session) is None


def test_why_nothing_can_be_cut_is_told_before_a_run_is_queued(http, store):
    reach_of(http)
    with store.write() as session:
        reaches.answer(session, reaches.next_question(session), refused="It has no batch norm.")
    assert reach_of(http)["words"] == "It has no batch norm."


def test_without_a_worker_the_reach_is_said_to_be_unknown(http, store):
    with store.write() as session:
        workers.retire(session, "w")
    assert reach_of(http) == {"words": NO_WORKER, "inner": None, "all": None, "pending": False}


@pytest.mark.parametrize("change", [{"epochs": 0}, {"method": "rnj"}, {"batch_size": 5000}])
def test_a_check_refuses_what_a_submission_refuses(http, change):
    body = {**SPEC, **change}
    checked, queued = (http.post(path, json=body) for path in (f"{RUNS}/check", RUNS))
    assert refused(checked) == refused(queued)


def test_notices_are_told_with_the_run(http, store):
    run_id, _ = add_run(store)
    with store.write() as session:
        runs.notice(session, run_id, code="flat", message="At chance.", hint="Lower λ.", epoch=3)
        runs.set_results(session, run_id, data_report={"images": 3})
    run = http.get(f"{RUNS}/{run_id}").json()
    assert run["notices"] == [
        {"code": "flat", "message": "At chance.", "hint": "Lower λ.", "epoch": 3}
    ]
    assert run["data_report"] == {"images": 3}
