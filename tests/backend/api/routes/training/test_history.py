"""Epochs, network, snapshots and histograms of a run."""

from __future__ import annotations

import numpy as np
import pytest

from recede.contract.cut.polarisation import Polarisation
from recede.contract.network.shape import NetworkShape
from tests.backend.api.routes.training.test_runs import refused
from tests.backend.store.samples import (
    SHAPE,
    add_epochs,
    add_run,
    raw_scales,
)

RUNS = "/api/v1/runs"


def test_epochs_are_listed_after_a_number(http, finished):
    page = http.get(f"{RUNS}/{finished.id}/epochs").json()
    assert page["next"] is None
    assert [row["epoch"] for row in page["items"]] == [0, 1, 2, 3]
    assert page["items"][0]["train_loss"] is None
    assert page["items"][1]["val_accuracy"] == 0.5
    later = http.get(f"{RUNS}/{finished.id}/epochs", params={"after": 2}).json()["items"]
    assert [row["epoch"] for row in later] == [3]
    assert refused(http.get(f"{RUNS}/{finished.id}/epochs?after=-2"))["field"] == "after"


def test_the_network_is_the_layout_of_the_snapshots(http, finished, store):
    answer = http.get(f"{RUNS}/{finished.id}/network")
    assert NetworkShape.model_validate(answer.json()) == SHAPE
    fresh, _ = add_run(store)
    assert "no network yet" in refused(http.get(f"{RUNS}/{fresh}/network"), 404)["message"]


def test_snapshots_say_which_epochs_have_weights(http, finished):
    answer = http.get(f"{RUNS}/{finished.id}/snapshots").json()
    assert answer == {"epochs": [0, 1, 2, 3], "weights": [2, 3], "best_epoch": 3}


def test_a_snapshot_is_float32_and_never_changes(http, finished):
    path = f"{RUNS}/{finished.id}/snapshots/2"
    answer = http.get(path)
    assert answer.headers["content-type"] == "application/octet-stream"
    np.testing.assert_array_equal(np.frombuffer(answer.content, "<f4"), raw_scales(2))
    assert "immutable" in answer.headers["cache-control"]
    again = http.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = http.get(f"{RUNS}/{finished.id}/snapshots/1")
    assert other.headers["etag"] != answer.headers["etag"]


@pytest.mark.parametrize("epoch", ["9", "-1", "x", "99999999999999999999", "1.5"])
def test_an_epoch_that_is_not_there_is_not_found(http, finished, epoch):
    assert refused(http.get(f"{RUNS}/{finished.id}/snapshots/{epoch}"), 404)


def test_polarisation_is_told_epoch_by_epoch_with_its_definitions(http, finished):
    path = f"{RUNS}/{finished.id}/polarisation"
    answer = http.get(path).json()
    assert [one["epoch"] for one in answer["items"]] == [0, 1, 2, 3]
    assert all(one["layers"] is None for one in answer["items"])
    last = answer["items"][-1]["overall"]
    assert last == http.get(f"{RUNS}/{finished.id}").json()["polarisation"]
    assert set(last) == set(answer["definitions"])
    whole = Polarisation.of(raw_scales(3), "bounded")
    assert last == whole.model_dump()
    assert "Pfister" in answer["definitions"]["bimodality"]


def test_polarisation_of_each_layer_comes_when_asked_for(http, finished):
    path = f"{RUNS}/{finished.id}/polarisation"
    layers = http.get(path, params={"layers": True}).json()["items"][2]["layers"]
    assert list(layers) == ["a", "b"]
    assert layers["b"] == Polarisation.of(raw_scales(2)[8:], "bounded").model_dump()
    assert refused(http.get(path, params={"layers": "some"}))["field"] == "layers"


def test_a_run_without_epochs_has_no_polarisation_yet(http, store):
    run_id, _ = add_run(store)
    assert http.get(f"{RUNS}/{run_id}/polarisation").json()["items"] == []
    assert http.get(f"{RUNS}/{run_id}").json()["polarisation"] is None
    assert refused(http.get(f"{RUNS}/nope/polarisation"), 404)


def histograms(http, run_id: str, **params):
    answer = http.get(f"{RUNS}/{run_id}/histograms", params=params)
    assert answer.status_code == 200, answer.text
    shape = [int(part) for part in answer.headers["x-shape"].split(",")]
    low, high = (float(part) for part in answer.headers["x-range"].split(","))
    return np.frombuffer(answer.content, "<u4").reshape(shape), low, high, answer


def test_histograms_count_every_neuron_of_every_epoch(http, finished):
    counts, low, high, answer = histograms(http, finished.id)
    assert counts.shape == (4, 128)
    assert (low, high) == (0.0, 1.0)
    assert answer.headers["x-epochs"] == "0,1,2,3"
    assert counts.sum(axis=1).tolist() == [SHAPE.n_neurons] * 4
    logits, low, high, _ = histograms(http, finished.id, axis="logit", bins=24)
    assert (low, high) == (-12.0, 12.0)
    expected, _ = np.histogram(raw_scales(3).clip(-12, 12), 24, (-12, 12))
    assert logits[3].tolist() == expected.tolist()


def test_histograms_of_one_layer(http, finished):
    counts, *_ = histograms(http, finished.id, layer="a", bins=10)
    assert counts.sum(axis=1).tolist() == [8] * 4
    error = refused(http.get(f"{RUNS}/{finished.id}/histograms?layer=c"))
    assert error["field"] == "layer"
    assert "a, b" in error["message"]


def test_histograms_are_sent_again_only_when_an_epoch_came(http, store):
    run_id, _ = add_run(store)
    add_epochs(store, run_id, 1)
    *_, answer = histograms(http, run_id)
    tag = {"If-None-Match": answer.headers["etag"]}
    path = f"{RUNS}/{run_id}/histograms"
    assert http.get(path, headers=tag).status_code == 304
    add_epochs(store, run_id, 2)
    newer = http.get(path, headers=tag)
    assert (newer.status_code, newer.headers["x-shape"]) == (200, "3,128")


@pytest.mark.parametrize("query", [{"bins": 1}, {"bins": 5000}, {"bins": "x"}, {"axis": "log"}])
def test_histograms_of_another_form_are_refused(http, finished, query):
    error = refused(http.get(f"{RUNS}/{finished.id}/histograms", params=query))
    assert error["field"] == next(iter(query))
