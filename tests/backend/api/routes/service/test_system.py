"""Health, metrics, workers, paths that do not exist, the description and its page."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from recede.api.app import STATIC, version
from recede.store.queue import workers
from tests.backend.api.routes.training.test_runs import refused
from tests.backend.catalog import CATALOG
from tests.backend.store.samples import add_run


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/healthz"])
def test_health(http, path):
    assert http.get(path).json() == {
        "status": "ok",
        "version": version(),
        "store": "sqlite",
        "workers_alive": 1,
        "worker_starting": False,
    }


@pytest.mark.parametrize("keeps", [True, False])
def test_a_worker_that_is_not_ready_yet_is_said_to_start(app, http, store, keeps):
    app.state.services = replace(app.state.services, keeps_worker=lambda: keeps)
    assert http.get("/healthz").json()["worker_starting"] is False  # there is one
    with store.write() as session:
        workers.retire(session, "w")
    assert http.get("/healthz").json()["worker_starting"] is keeps


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/metrics"])
def test_metrics_are_prometheus_text(http, store, path):
    add_run(store)
    answer = http.get(path)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    for line in (
        'recede_runs{state="queued"} 1',
        'recede_runs{state="failed"} 0',
        'recede_queue_depth{lane="training"} 1',
        'recede_queue_depth{lane="interactive"} 0',
        "recede_workers_alive 1",
    ):
        assert line in lines
    sample = re.compile(r'\w+(\{\w+="\w+"\})? \d+')
    assert all(line.startswith("# ") or sample.fullmatch(line) for line in lines)


def test_the_catalog_is_the_workers(http):
    assert http.get("/api/v1/catalog").json() == CATALOG.model_dump(mode="json")


def test_a_worker_that_left_is_shown_as_such(http, store):
    (worker,) = http.get("/api/v1/workers").json()["items"]
    assert (worker["id"], worker["alive"], worker["versions"]) == ("w", True, {"torch": "2"})
    assert worker["devices"][0]["name"] == "cpu"
    with store.write() as session:
        workers.retire(session, "w")
    (worker,) = http.get("/api/v1/workers").json()["items"]
    assert worker["alive"] is False
    assert worker["last_seen_s"] is None
    assert http.get("/healthz").json()["workers_alive"] == 0


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/api/nothing", "/api/v1/run", "/api/v2/runs", "/api/", "/api"])
def test_a_path_below_api_that_is_none_is_told_in_json(http, method, path):
    error = refused(http.request(method, path), 404)
    assert path in error["message"]
    assert "/docs" in error["hint"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/v1/runs", {"GET", "POST"}),
        ("DELETE", "/api/v1/jobs/1", {"GET"}),
        ("GET", "/api/v1/runs/abc/prune", {"POST"}),
    ],
)
def test_a_path_asked_in_the_wrong_way_says_which_way_it_takes(http, method, path, allowed):
    answer = http.request(method, path)
    assert refused(answer, 405)["code"] == "method_not_allowed"
    assert set(answer.headers["allow"].split(", ")) == allowed


def test_every_route_is_described_with_its_errors(http):
    api = http.get("/openapi.json").json()
    operations = {
        f"{method} {path}": operation
        for path, methods in api["paths"].items()
        for method, operation in methods.items()
    }
    assert len(operations) == 71
    for name, operation in operations.items():
        errors = {code: a for code, a in operation["responses"].items() if int(code) >= 400}
        assert {"403", "422", "500", "503"} <= set(errors), name
        for answer in errors.values():
            schema = answer["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/ErrorOut"}, name
        if "{" in name:
            assert "404" in errors, name
        assert operation["description"], name
    assert "HTTPValidationError" not in api["components"]["schemas"]


def test_the_documentation_comes_from_this_machine_alone(http):
    page = http.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "<script>" not in page.text
    assert "style=" not in page.text
    used = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
    assert len(used) == 2
    for path in used:
        assert http.get(path).status_code == 200
    for file in STATIC.iterdir():
        assert "//cdn" not in file.read_text(encoding="utf-8")


def test_large_answers_are_compressed_and_downloads_are_not(http, finished):
    asked = {"Accept-Encoding": "gzip"}
    assert http.get("/openapi.json", headers=asked).headers["content-encoding"] == "gzip"
    file = http.get(f"/api/v1/checkpoints/{finished.weights}/download", headers=asked)
    assert "content-encoding" not in file.headers
