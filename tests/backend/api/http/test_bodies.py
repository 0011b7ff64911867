"""Bodies that almost fit: numbers that are none, text that is none, and how each is told."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.backend.api.routes.training.test_runs import (
    RUNS,
    SPEC,
    n_jobs,
    refused,
)

JSON = {"Content-Type": "application/json"}


def post(http: httpx.Client, path: str, body: object) -> httpx.Response:
    """Sends what httpx would not: lone surrogates as escapes."""
    return http.post(path, content=json.dumps(body), headers=JSON)


@pytest.mark.parametrize("value", [True, "3", "0.5"])
@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("epochs", "a whole number at least 0 and at most 10000"),
        ("batch_size", "a whole number at least 2"),
        ("seed", "a whole number at least 0"),
        ("lr", "a number above 0 and at most 10"),
        ("val_fraction", "a number above 0 and below 0.9"),
    ],
)
def test_a_number_of_a_run_is_neither_text_nor_true(http, store, field, words, value):
    error = refused(http.post(RUNS, json={**SPEC, field: value}))
    assert error["field"] == field
    assert f"{json.dumps(value)}; it must be {words}".replace('"', "'") in error["message"]
    assert n_jobs(store) == 0


@pytest.mark.parametrize("value", [True, "0.5"])
@pytest.mark.parametrize(
    ("plan", "field"),
    [
        ({"ratio": "VALUE"}, "plan.ratio"),
        ({"threshold": "VALUE"}, "plan.threshold"),
        ({"ratio": 0.5, "epoch": "VALUE"}, "plan.epoch"),
        ({"ratio": 0.5, "overrides": {"a": "VALUE"}}, "plan.overrides.a"),
    ],
)
def test_a_number_of_a_plan_is_neither_text_nor_true(http, finished, plan, field, value):
    given = json.loads(json.dumps(plan).replace('"VALUE"', json.dumps(value)))
    error = refused(http.post(f"{RUNS}/{finished.id}/preview", json={"plan": given}))
    assert error["field"] == field
    assert "number at least 0" in error["message"]


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"epochs": 1e308}, "epochs", "a whole number at least 0 and at most 10000"),
        ({"init": "x"}, "init", "'x'; it must be an object in braces"),
        ({"init": {"fil": "x"}}, "init.fil", "known: classes, file, new_head, plan, pretrained"),
        ({"init": {"run": "x", "plan": {"rato": 1}}}, "init.plan.rato", "threshold"),
        ({"name": "\ud800"}, "name", "not valid text"),
        ({"dataset": "\ud800"}, "dataset", "not valid text"),
        ({"\ud800": 1}, None, "\\ud800"),
        ({"method_params": {"\ud800": 1}}, None, "\\ud800"),
        ({"method_params": {"lam": "\ud800"}}, "method_params.lam", "a number"),
    ],
)
def test_a_value_of_another_kind_is_told_in_words(http, store, change, field, words):
    error = refused(post(http, RUNS, {**SPEC, **change}))
    assert words in error["message"]
    assert field is None or error["field"] == field
    assert n_jobs(store) == 0


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"plan": {"threshold": 1e31}}, "plan.threshold", "at most 1e+30"),
        ({"plan": {"ratio": 0.5, "locks": "x"}}, "plan.locks", "a list in brackets"),
        ({"plan": {"ratio": 0.5}, "finetune": {"a": 1}}, "finetune", "must be null"),
        ({"plan": {"ratio": 0.5}, "formats": []}, "formats", "at least 1 entry"),
    ],
)
def test_a_prune_that_almost_fits_is_told_in_words(http, finished, body, field, words):
    error = refused(http.post(f"{RUNS}/{finished.id}/prune", json=body))
    assert error["field"] == field
    assert words in error["message"]
    assert "default is ()" not in error.get("hint", "")


def test_safetensors_is_among_the_files_of_every_cut(http, finished):
    body = {"plan": {"ratio": 0.5}, "formats": ["pt2"]}
    answer = http.post(f"{RUNS}/{finished.id}/prune", json=body)
    assert answer.json()["job"]["payload"]["formats"] == ["safetensors", "pt2"]


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"name": ""}, "name", "at least 1 character long"),
        ({"name": "  \t"}, "name", "at least 1 character long"),
        ({"name": "x" * 121}, "name", "at most 120 characters long"),
        ({"notes": "x" * 10_001}, "notes", "at most 10000 characters long"),
        ({"notes": "\ud800"}, "notes", "not valid text"),
        ({"name": 3}, "name", "must be text"),
    ],
)
def test_names_and_notes_have_a_length(http, finished, change, field, words):
    path = f"{RUNS}/{finished.id}"
    answer = http.patch(path, content=json.dumps(change), headers=JSON)
    error = refused(answer)
    assert (error["field"], words in error["message"]) == (field, True), error


def test_a_new_name_loses_the_space_around_it(http, finished):
    assert http.patch(f"{RUNS}/{finished.id}", json={"name": " a b "}).json()["name"] == "a b"


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}])
def test_a_body_that_is_not_said_to_be_json_is_not_shown_as_python(http, headers):
    error = refused(http.post(RUNS, content=b'{"dataset": "digits"}', headers=headers))
    assert "b'" not in error["message"]
    assert "application/json" in error["hint"]


def test_routes_with_a_body_say_that_it_may_be_too_large(http):
    paths = http.get("/openapi.json").json()["paths"]
    bodies = [o for methods in paths.values() for o in methods.values() if "requestBody" in o]
    assert len(bodies) == 24
    for operation in bodies:
        assert "413" in operation["responses"]
