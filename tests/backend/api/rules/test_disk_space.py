"""The guard before a run that will not fit the disk, as far as the web side can know."""

from __future__ import annotations

import shutil
from collections import namedtuple

import pytest

from recede.contract.spec.kept_weights import MB
from tests.backend.api.routes.training.test_runs import (
    RUNS,
    SPEC,
    n_jobs,
    refused,
)
from tests.backend.store.samples import add_checkpoint, add_epochs

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def earlier(http, store, settings) -> str:
    """A run of the same network whose weights take one megabyte."""
    run_id = http.post(RUNS, json=SPEC).json()["run"]["id"]
    add_epochs(store, run_id, 1)
    add_checkpoint(store, settings.artifacts, run_id, 1, body=b"w" * MB)
    return run_id


def free(monkeypatch, n_bytes: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(n_bytes, 0, n_bytes))


def test_before_any_run_of_a_network_only_the_free_space_is_known(http):
    disk = http.post(f"{RUNS}/check", json=SPEC).json()["disk"]
    assert disk["free_bytes"] > 0
    assert (disk["weights_bytes"], disk["keep_bytes"], disk["warning"]) == (None, None, None)


def test_an_earlier_run_of_the_same_network_tells_what_will_be_kept(http, earlier):
    body = {**SPEC, "epochs": 100, "keep_weights_mb": 40}
    disk = http.post(f"{RUNS}/check", json=body).json()["disk"]
    assert disk["weights_bytes"] == MB
    assert 25 * MB < disk["keep_bytes"] < 50 * MB  # every fourth of 100 epochs, and the run itself
    assert disk["warning"] is None
    wider = {**SPEC, "architecture_params": {"width": 0.5}}
    assert http.post(f"{RUNS}/check", json=wider).json()["disk"]["weights_bytes"] is None


def test_a_run_of_which_not_all_may_fit_is_warned_of_and_queued(http, earlier, monkeypatch):
    free(monkeypatch, 20 * MB)
    body = {**SPEC, "epochs": 100}
    warning = http.post(f"{RUNS}/check", json=body).json()["disk"]["warning"]
    assert "20.0 MB of disk are free" in warning
    assert http.post(RUNS, json=body).status_code == 201


def test_a_run_that_cannot_fit_is_refused_before_it_is_queued(http, store, earlier, monkeypatch):
    free(monkeypatch, 2 * MB)
    before = n_jobs(store)
    for path in (RUNS, f"{RUNS}/check"):
        error = refused(http.post(path, json=SPEC), 507)
        assert error["code"] == "storage"
        assert "2.0 MB are free" in error["message"]
        assert error["details"]["free_bytes"] == 2 * MB
        assert "Free some space" in error["hint"]
    assert n_jobs(store) == before


def test_a_fine_tuning_which_may_be_far_smaller_is_left_to_the_worker(http, earlier, monkeypatch):
    free(monkeypatch, 2 * MB)
    body = {**SPEC, "init": {"run": earlier, "plan": {"ratio": 0.5}}}
    assert http.post(RUNS, json=body).status_code == 201


def test_a_grid_that_cannot_fit_together_is_refused_before_any_run_is_queued(
    http, store, earlier, monkeypatch
):
    free(monkeypatch, 10 * MB)
    assert http.post(RUNS, json=SPEC).status_code == 201  # one of them alone has room
    before = n_jobs(store)
    grid = {"spec": SPEC, "axes": {"seed": [0, 1, 2]}}
    error = refused(http.post("/api/v1/groups", json=grid), 507)
    assert error["code"] == "storage"
    assert "These 3 runs need" in error["message"]
    assert error["details"]["needed_bytes"] > error["details"]["free_bytes"] == 10 * MB
    assert n_jobs(store) == before
    free(monkeypatch, 50 * MB)
    assert http.post("/api/v1/groups", json=grid).status_code == 201


def test_of_a_grid_only_runs_of_known_networks_count(http, earlier, monkeypatch):
    free(monkeypatch, 10 * MB)
    axes = {"architecture_params.width": [0.5, 0.75, 0.9]}
    assert http.post("/api/v1/groups", json={"spec": SPEC, "axes": axes}).status_code == 201
