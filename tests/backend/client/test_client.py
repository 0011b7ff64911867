"""The typed clients: every route, the same on both, errors in the words of the service."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import numpy as np
import pytest

from recede.client import ApiError, AsyncRecedeClient, RecedeClient
from recede.contract.errors import InvalidInput
from recede.contract.spec.run import Plan, RunSpec
from tests.backend.conftest import BASE
from tests.backend.store.samples import SHAPE, raw_scales

SPEC = RunSpec(dataset="digits", architecture="tiny", method="rni")


def test_a_run_from_submission_to_deletion(recede):
    made = recede.create_run(SPEC, idempotency_key="k")
    assert recede.create_run(SPEC, idempotency_key="k").run.id == made.run.id
    run_id = made.run.id
    assert [run.id for run in recede.runs(state="queued", limit=5).items] == [run_id]
    assert recede.update_run(run_id, name="new").name == "new"
    assert recede.job(made.job.id).kind == "train"
    assert recede.cancel_run(run_id).state == "cancelled"
    job = recede.resume_run(run_id).job
    assert recede.cancel_job(job.id).state == "cancelled"
    assert len(recede.jobs(run_id=run_id).items) == 2
    assert recede.log(job.id).complete
    assert recede.delete_run(run_id).freed_bytes == 0


def test_what_a_finished_run_gives(recede, finished):
    assert recede.run(finished.id).best_epoch == 3
    assert [row.epoch for row in recede.epochs(finished.id, after=1).items] == [2, 3]
    assert recede.network(finished.id) == SHAPE
    assert recede.snapshots(finished.id).weights == [2, 3]
    np.testing.assert_array_equal(recede.snapshot(finished.id, 1), raw_scales(1))
    histograms = recede.histograms(finished.id, bins=10, axis="logit", layer="b")
    assert histograms.counts.shape == (4, 10)
    assert (histograms.low, histograms.high, histograms.epochs) == (-12, 12, [0, 1, 2, 3])
    parted = recede.polarisation(finished.id, layers=True)
    assert parted.items[-1].overall == recede.run(finished.id).polarisation
    assert set(parted.items[0].layers) == {"a", "b"}
    assert recede.preview(finished.id, Plan(ratio=0.5)).accuracy.kind == "measured"
    assert recede.evaluate(finished.id, Plan(ratio=0.5)).evaluation.on_curve
    assert len(recede.curve(finished.id).points) == 4
    assert recede.measure_curve(finished.id).job.kind == "curve"
    assert recede.measure_curve(finished.id, exact=True).job.payload["exact"]
    assert len(recede.evaluations(finished.id, epoch=3, limit=3).items) == 3
    assert recede.prune(finished.id, Plan(ratio=0.5), formats=["pt2"]).job.kind == "prune"
    kept = recede.checkpoints(finished.id).items
    assert recede.checkpoint(kept[0].id) == kept[0]


def test_a_group_from_submission_to_deletion(recede):
    checked = recede.check_run(SPEC)
    assert recede.check_run(checked.spec).spec == checked.spec
    axes = {"method_params.lam": [0.01, 0.03], "seed": [0, 1]}
    made = recede.create_group(SPEC, axes, name="four", idempotency_key="k")
    assert recede.create_group(SPEC, axes, idempotency_key="k").group.id == made.group.id
    group = recede.group(made.group.id)
    assert (group.name, group.axes, len(group.runs)) == ("four", axes, 4)
    assert recede.groups(limit=5).items == [group]
    assert {run.id for run in recede.runs(group=group.id).items} == {r.id for r in made.runs}
    assert recede.cancel_group(group.id).counts == {"cancelled": 4}
    assert recede.delete_group(group.id).freed_bytes == 0


def test_the_service_itself(recede):
    assert recede.health().status == "ok"
    assert recede.catalog().method("rni").name == "rni"
    assert recede.workers().items[0].alive
    assert "recede_runs" in recede.metrics()


def test_the_asynchronous_client_works_in_process(app, finished):
    async def look() -> tuple[str, int]:
        transport = httpx.ASGITransport(app=app)
        async with AsyncRecedeClient(BASE, transport=transport) as client:
            run = await client.run(finished.id)
            with pytest.raises(ApiError, match="no run 'none'"):
                await client.run("none")
            return run.id, len((await client.epochs(run.id)).items)

    assert asyncio.run(look()) == (finished.id, 4)


def test_an_error_carries_the_words_of_the_service(recede):
    with pytest.raises(ApiError) as caught:
        recede.create_run({**SPEC.model_dump(), "epochs": -1})
    error = caught.value
    assert (error.status, error.code, error.field) == (422, "invalid_input", "epochs")
    assert "at least 0" in error.message
    assert error.hint


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, "\ud800"])
def test_what_json_cannot_hold_is_refused_before_it_is_sent(app, recede, value):
    async def submit() -> None:
        transport = httpx.ASGITransport(app=app)
        async with AsyncRecedeClient(BASE, transport=transport) as client:
            await client.create_run({**SPEC.model_dump(), "lr": value})

    with pytest.raises(InvalidInput, match="JSON"):
        recede.create_run({**SPEC.model_dump(), "lr": value})
    with pytest.raises(InvalidInput, match="JSON"):
        asyncio.run(submit())


def test_a_download_into_a_folder_that_is_not_there_makes_it(recede, finished, tmp_path: Path):
    path = recede.download(finished.weights, f"{tmp_path}/new/er/")
    assert path.parent == tmp_path / "new" / "er"
    assert path.read_bytes() == b"weights " * 100


def test_nobody_there_says_what_to_start():
    with RecedeClient("http://127.0.0.1:9") as client:
        with pytest.raises(ApiError, match="Nothing answers") as caught:
            client.health()
        with pytest.raises(ApiError, match="Nothing answers"):
            next(client.events())
    assert "recede up" in caught.value.hint
    assert caught.value.status == 0


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"error": 1}', b'{"detail": "x"}'])
def test_another_service_at_the_address_is_recognised(body: bytes):
    transport = httpx.MockTransport(lambda _: httpx.Response(502, content=body))
    with RecedeClient(transport=transport) as client, pytest.raises(ApiError) as caught:
        client.health()
    assert caught.value.status == 502
    assert "really Recede" in caught.value.hint


def test_a_download_is_verified_and_named(recede, finished, tmp_path: Path):
    seen: list[int] = []
    path = recede.download(finished.weights, tmp_path, on_progress=seen.append)
    assert path.name == f"recede-{finished.id}-trained-e3.safetensors"
    assert path.read_bytes() == b"weights " * 100
    assert sum(seen) == 800
    named = recede.download(finished.weights, tmp_path / "x.json", format="manifest")
    assert named.read_bytes() == b"{}"
    with pytest.raises(ApiError, match="Unknown format"):
        recede.download(finished.weights, tmp_path, format="onnx")


def test_a_damaged_download_leaves_nothing(tmp_path: Path):
    headers = {"ETag": f'"{"0" * 64}"', "Content-Disposition": 'attachment; filename="../a.bin"'}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=b"x", headers=headers))
    with RecedeClient(transport=transport) as client, pytest.raises(ApiError, match="SHA-256"):
        client.download("abc", tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert list(tmp_path.parent.glob("a.bin*")) == []
