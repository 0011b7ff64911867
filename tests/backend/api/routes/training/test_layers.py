"""Layers over the epochs: the numbers of the API are those of the snapshots."""

from __future__ import annotations

import numpy as np
import pytest

from recede.contract.cut.polarisation import Polarisation
from recede.contract.cut.selection import importances
from tests.backend.api.routes.training.test_runs import refused
from tests.backend.store.samples import (
    SHAPE,
    add_epochs,
    add_run,
    raw_scales,
)

RUNS = "/api/v1/runs"


def answered(http, run_id: str, path: str = "", kind: str = "<f4", **params):
    answer = http.get(f"{RUNS}/{run_id}/layers{path}", params=params)
    assert answer.status_code == 200, answer.text
    shape = [int(part) for part in answer.headers["x-shape"].split(",")]
    assert answer.headers["x-epochs"] == "0,1,2,3"
    return np.frombuffer(answer.content, kind).reshape(shape), answer


def parts(epoch: int) -> list[np.ndarray]:
    return [importances(part, SHAPE.scale) for part in SHAPE.split(raw_scales(epoch))]


@pytest.mark.parametrize("below", [0.0, 0.1, 0.5, 1.0])
def test_receded_is_the_share_under_the_bound_of_each_layer_and_epoch(http, finished, below):
    values, _ = answered(http, finished.id, below=below)
    expected = [[(part < below).mean() for part in parts(epoch)] for epoch in range(4)]
    np.testing.assert_allclose(values, expected, rtol=1e-6)


def test_at_a_tenth_it_is_the_polarisation_of_the_page(http, finished):
    values, _ = answered(http, finished.id)
    page = http.get(f"{RUNS}/{finished.id}/polarisation", params={"layers": True}).json()
    expected = [[one["layers"][name]["below_01"] for name in "ab"] for one in page["items"]]
    np.testing.assert_allclose(values, expected, rtol=1e-6)


def test_median_and_bimodality_are_those_of_each_layer(http, finished):
    medians, _ = answered(http, finished.id, measure="median")
    expected = [[np.median(part) for part in parts(epoch)] for epoch in range(4)]
    np.testing.assert_allclose(medians, expected, rtol=1e-6)
    found, _ = answered(http, finished.id, measure="bimodality")
    whole = [Polarisation.of(part, SHAPE.scale) for part in SHAPE.split(raw_scales(2))]
    np.testing.assert_allclose(found[2], [one.bimodality for one in whole], rtol=1e-6)


def test_histograms_of_the_layers_add_up_to_the_histogram_of_the_network(http, finished):
    counts, answer = answered(http, finished.id, "/histograms", "<u2", bins=24)
    assert answer.headers["x-range"] == "-12.0,12.0"
    assert counts.sum(axis=2).tolist() == [SHAPE.sizes] * 4
    whole = http.get(f"{RUNS}/{finished.id}/histograms", params={"axis": "logit", "bins": 24})
    expected = np.frombuffer(whole.content, "<u4").reshape(4, 24)
    np.testing.assert_array_equal(counts.sum(axis=1), expected)


def test_the_history_of_a_layer_is_its_part_of_every_snapshot(http, finished):
    for name, at in (("a", 0), ("b", 1)):
        raw, _ = answered(http, finished.id, "/history", layer=name)
        expected = [SHAPE.split(raw_scales(epoch))[at] for epoch in range(4)]
        np.testing.assert_array_equal(raw, expected)
    error = refused(http.get(f"{RUNS}/{finished.id}/layers/history?layer=c"))
    assert error["field"] == "layer"
    assert "a, b" in error["message"]


@pytest.mark.parametrize("path", ["", "/histograms", "/history?layer=a"])
def test_they_are_sent_again_only_when_an_epoch_came(http, store, path):
    run_id, _ = add_run(store)
    url = f"{RUNS}/{run_id}/layers{path}"
    assert "no network yet" in refused(http.get(url), 404)["message"]
    add_epochs(store, run_id, 1)
    tag = {"If-None-Match": http.get(url).headers["etag"]}
    again = http.get(url, headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    add_epochs(store, run_id, 2)
    assert http.get(url, headers=tag).status_code == 200


def test_bounds_and_measures_that_are_none_are_refused(http, finished):
    url = f"{RUNS}/{finished.id}/layers"
    assert refused(http.get(f"{url}?below=1.5"))["field"] == "below"
    assert refused(http.get(f"{url}?measure=mean"))["field"] == "measure"
    assert refused(http.get(f"{url}/histograms?bins=1"))["field"] == "bins"
    assert refused(http.get(f"{RUNS}/nope/layers"), 404)


def test_the_client_reads_the_arrays(recede, finished):
    found = recede.layers(finished.id, below=0.5)
    assert (found.values.shape, found.epochs) == ((4, 2), [0, 1, 2, 3])
    history = recede.layer_history(finished.id, "b")
    np.testing.assert_array_equal(history.values[3], SHAPE.split(raw_scales(3))[1])
    counted = recede.layer_histograms(finished.id, bins=10)
    assert counted.counts.shape == (4, 2, 10)
    assert (counted.low, counted.high) == (-12, 12)
