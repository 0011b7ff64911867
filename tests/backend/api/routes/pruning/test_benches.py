"""Timings of devices elsewhere: kept by SHA-256, shown at the checkpoint, solved for a target."""

from __future__ import annotations

import importlib.resources

import pytest

from recede.client import ApiError
from recede.store.results import evaluations
from tests.backend.api.routes.training.test_runs import refused
from tests.backend.bench.onnx_files import add_cut, body

SHA = "ab" * 32


@pytest.fixture
def cut(store, finished) -> str:
    return add_cut(store, finished.id, SHA, 0.5)


def test_timings_appear_at_every_checkpoint_that_has_the_file(recede, store, finished, cut):
    twin = add_cut(store, finished.id, SHA, 0.5)
    other = add_cut(store, finished.id, "cd" * 32, 0.6)
    kept = recede.add_benches(body(SHA, 4.0)).checkpoints
    assert {one.id for one in kept} == {cut, twin}
    assert {(one.run_id, one.format) for one in kept} == {(finished.id, "onnx")}
    (timed,) = recede.checkpoint(cut).benches
    assert (timed.device, timed.median_ms, timed.p95_ms) == ("a board", 4.0, 8.0)
    listed = {one.id: len(one.benches) for one in recede.checkpoints(finished.id).items}
    assert (listed[cut], listed[twin], listed[other]) == (1, 1, 0)


def test_the_same_conditions_are_kept_once_the_newest_counts(recede, cut):
    recede.add_benches(body(SHA, 4.0))
    recede.add_benches(body(SHA, 3.0))
    recede.add_benches(body(SHA, 9.0, batch=64))
    recede.add_benches(body(SHA, 5.0, device="another"))
    found = [(one.device, one.batch, one.median_ms) for one in recede.checkpoint(cut).benches]
    assert found == [("a board", 1, 3.0), ("a board", 64, 9.0), ("another", 1, 5.0)]


def test_a_file_that_no_checkpoint_has_is_refused(recede, cut):
    with pytest.raises(ApiError, match="No checkpoint has a network file") as error:
        recede.add_benches(body("0" * 64, 4.0))
    assert error.value.status == 404
    assert recede.checkpoint(cut).benches == []


def test_a_manifest_is_no_network(recede, store, finished):
    with store.read() as session:
        manifest = evaluations.checkpoint(session, finished.weights).files["manifest"]["sha256"]
    with pytest.raises(ApiError, match="No checkpoint"):
        recede.add_benches(body(manifest, 4.0))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sha256": "%" * 64}, "sha256"),
        ({"sha256": SHA[:-1]}, "sha256"),
        ({"rows": []}, "rows"),
        ({"rows": [{**body(SHA, 1.0)["rows"][0], "median_ms": 0}]}, "rows.0.median_ms"),
        ({"rows": [{**body(SHA, 1.0)["rows"][0], "batch": "1"}]}, "rows.0.batch"),
        ({"rows": [{**body(SHA, 1.0)["rows"][0], "device": ""}]}, "rows.0.device"),
        ({"rows": [{**body(SHA, 1.0)["rows"][0], "checkpoint_id": "x"}]}, "rows.0.checkpoint_id"),
    ],
)
def test_rows_of_another_form_are_refused(http, cut, change, field):
    answer = http.post("/api/v1/benches", json={**body(SHA, 1.0), **change})
    assert refused(answer)["field"] == field


def test_timings_go_with_their_checkpoint(recede, store, cut):
    recede.add_benches(body(SHA, 4.0))
    with store.write() as session:
        session.delete(evaluations.checkpoint(session, cut))
    with pytest.raises(ApiError, match="No checkpoint"):
        recede.add_benches(body(SHA, 4.0))


@pytest.fixture
def three(recede, store, finished) -> dict[float, str]:
    """Cuts of 30, 50 and 80 %, timed on a board; more of them elsewhere or at another batch."""
    ids = {}
    for i, (ratio, median) in enumerate(((0.3, 9.0), (0.5, 4.0), (0.8, 2.0))):
        sha = f"{i:064x}"
        ids[ratio] = add_cut(store, finished.id, sha, ratio)
        recede.add_benches(body(sha, median))
        recede.add_benches(body(sha, 10 * median, batch=64))
    add_cut(store, finished.id, "ee" * 32, 0.1)
    return ids


def test_all_timings_of_a_run_can_be_listed(recede, finished, three):
    found = recede.benches(finished.id).items
    assert {one.device for one in found} == {"a board"}
    assert {one.checkpoint_id for one in found} == set(three.values())
    assert len(found) == 6


def test_a_target_takes_the_least_cut_that_was_fast_enough_there(recede, finished, three):
    found = recede.solve_benched(finished.id, "a board", 4.0)
    assert found.reached
    assert (found.checkpoint_id, found.ratio, found.compared) == (three[0.5], 0.5, 3)
    assert (found.plan.ratio, found.plan.epoch) == (0.5, 3)
    assert found.timing.median_ms == 4.0
    assert recede.solve_benched(finished.id, "a board", 3.9).ratio == 0.8
    assert recede.solve_benched(finished.id, "a board", 50.0, batch=64).ratio == 0.5


def test_the_fastest_file_of_a_network_counts(recede, store, finished, three):
    recede.add_benches(body(f"{0:064x}", 3.0, provider="CUDAExecutionProvider"))
    found = recede.solve_benched(finished.id, "a board", 4.0)
    assert (found.ratio, found.timing.provider) == (0.3, "CUDAExecutionProvider")


def test_the_dense_network_is_taken_where_it_is_fast_enough(recede, store, finished, three):
    with store.read() as session:
        sha = evaluations.checkpoint(session, finished.weights).sha256
    recede.add_benches(body(sha, 3.5, runtime="torch", provider="cpu"))
    found = recede.solve_benched(finished.id, "a board", 4.0)
    assert (found.ratio, found.plan.ratio) == (0.0, 0.0)


def test_a_target_that_nothing_meets_says_what_can_be_had(recede, finished, three):
    found = recede.solve_benched(finished.id, "a board", 1.0)
    assert (found.reached, found.ratio, found.timing.median_ms) == (False, 0.8, 2.0)


def test_a_device_that_never_reported_is_named_beside_those_that_did(recede, finished, three):
    with pytest.raises(ApiError) as error:
        recede.solve_benched(finished.id, "a phone", 4.0)
    assert error.value.status == 404
    assert "'a board' at batch 1, 'a board' at batch 64" in error.value.hint


def test_the_script_is_served_as_it_is(http):
    answer = http.get("/api/v1/bench.py")
    assert answer.headers["content-type"].startswith("text/x-python")
    assert answer.headers["content-disposition"] == 'attachment; filename="recede_bench.py"'
    module = importlib.resources.files("recede.bench").joinpath("onnx_latency.py")
    assert answer.content == module.read_bytes()
