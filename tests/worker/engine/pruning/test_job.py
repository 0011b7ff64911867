"""The prune job: what it writes, and that nothing is left of one that fails or is cancelled."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from recede.contract.spec.run import Plan, PrunePayload
from recede.contract.states import JobKind
from recede.store.experiments import runs
from recede_worker.engine.checkpoints.bundle import write_bundle
from recede_worker.engine.checkpoints.proof import ProofFailed
from recede_worker.engine.checkpoints.weights import NAMES
from recede_worker.engine.evaluation.accuracy import evaluate
from recede_worker.engine.job.stop import Cancelled
from recede_worker.engine.pruning import job as pruning_job
from recede_worker.engine.quantisation import measured
from tests.worker.engine.checkpoint_files import Pruned, folder, pruned
from tests.worker.engine.claimed_job import ClaimedJob
from tests.worker.engine.in_process import cancel

LEAN = PrunePayload(plan=Plan(ratio=0.4), formats=("safetensors",))
__all__ = ["folder", "pruned"]


def test_each_step_is_told_with_what_it_is(pruned, folder):
    steps = [told for told in pruned.told if told["unit"] == "steps" and told["total"] > 1]
    assert [step["done"] for step in steps] == list(range(steps[0]["total"]))
    assert all(step["message"] for step in steps)
    assert {path.name for path in folder.iterdir()} == set(NAMES.values())


def manifest_of(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return read


# A person with torch and nothing else: no safetensors, nothing of ours.
TORCH_ALONE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {%s}:
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
sys.path.insert(0, ".")
"""
OURS = (
    '"recede", "recede_worker", "recede_dashboard", "torchvision", "timm", "safetensors", "onnx"'
)
LOADED = (
    TORCH_ALONE % f'{OURS}, "onnxruntime"'
    + """
from model import load, read
import torch
network = load("model.safetensors")
proof = read("proof.safetensors")
with torch.no_grad():
    found = network.double()(proof["images"].double())
print(float((found - proof["scores"]).abs().max()))
"""
)
RUNTIME_ALONE = (
    TORCH_ALONE % f'{OURS}, "torch"'
    + """
import json, onnxruntime, numpy
session = onnxruntime.InferenceSession("model.onnx")
about = session.get_modelmeta().custom_metadata_map
shape = json.loads(about["input_shape"])
for n in (1, 3):
    images = numpy.zeros((n, *shape), numpy.float32)
    scores = session.run(None, {"images": images})[0]
    assert scores.shape == (n, len(json.loads(about["classes"])))
print(0.0)
"""
)


@pytest.mark.parametrize("program", [LOADED, RUNTIME_ALONE], ids=["torch", "onnxruntime"])
def test_a_person_with_one_package_loads_the_files(folder, program):
    answer = subprocess.run(
        [sys.executable, "-I", "-B", "-W", "ignore", "-c", program],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert float(answer.stdout.split()[-1]) < 1e-9


def test_the_manifest_says_everything_that_was_measured(folder):
    found = manifest_of(folder)
    for split in ("validation", "test"):
        for name in (split, f"dense_{split}"):
            assert found["accuracy"][name]["n"] > 0
    assert found["needs"] == ["torch"]
    assert found["onnx"]["opset"] >= 20
    assert set(found["versions"]) >= {"recede", "python", "torch", "onnx", "onnxruntime"}
    proof = found["max_difference"]
    assert proof["onnx_same_top1"] == proof["images"] > 100
    assert 0 <= proof["onnx_vs_memory"] < 1e-4
    assert set(found["files"]) == {
        *("model.safetensors", "model.py", "model.pt2", "model.onnx", "model-int8.onnx"),
        "proof.safetensors",
    }


def test_the_int8_file_is_measured_beside_the_float_networks(folder):
    found = manifest_of(folder)
    int8, test = found["int8"], found["accuracy"]["test"]
    dense, cut, small = int8["table"]
    assert [row["network"] for row in int8["table"]] == ["dense", "cut", "int8"]
    assert (cut["correct"], cut["n"]) == (test["correct"], test["n"])
    assert dense["correct"] == found["accuracy"]["dense_test"]["correct"]
    assert small["size_bytes"] == found["files"]["model-int8.onnx"]["size_bytes"]
    assert cut["size_bytes"] == found["files"]["model.onnx"]["size_bytes"]
    assert small["size_bytes"] < cut["size_bytes"] / 2 < dense["size_bytes"]
    for row in int8["table"]:
        assert 0 <= row["low"] <= row["correct"] / row["n"] <= row["high"] <= 1
        assert [one["batch"] for one in row["latency"]] == [1, 64]
        for one in row["latency"]:
            assert 0 < one["median_ms"] <= one["p95_ms"]
            assert (one["threads"], bool(one["device"])) == (torch.get_num_threads(), True)
    assert int8["drop"] == (cut["correct"] - small["correct"]) / test["n"]
    assert int8["calibration"] == {"images": 256, "of": "training images", "method": "MinMax"}


class Quantising:
    """An INT8 file made again of the float one; what it loses counts as too much."""

    def __init__(self, pruned: Pruned, folder: Path) -> None:
        for name in ("onnx", "proof"):
            shutil.copy(pruned.folder / NAMES[name], folder)
        self.job = pruned.worker.enqueue(pruned.parent.run_id, JobKind.PRUNE, LEAN)
        self.told: list[dict[str, Any]] = []
        self.job.publish = self.publish
        self.stop_at: tuple[str, int] | None = None
        self.folder = folder

    def publish(self, told: dict[str, Any]) -> None:
        self.told.append(told)
        if (told["unit"], told["done"]) == self.stop_at:
            self.job.cancelled.set()

    def run(self) -> dict[str, Any]:
        trained = self.job.trained(None)
        cut = evaluate(trained.dense, trained.data.test, trained.data.normalise)
        return measured.Int8(self.job.handle, trained, self.folder).run(cut, vars(cut))


@pytest.fixture
def quantising(
    pruned: Pruned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Quantising]:
    monkeypatch.setattr(measured, "FLAGGED_DROP", -2.0)
    monkeypatch.setattr(measured, "LIMIT_S", 0.0)
    monkeypatch.setattr(measured, "BATCHES", (1,))
    made = Quantising(pruned, tmp_path)
    yield made
    cancel(made.job)


def test_a_loss_that_is_too_large_is_flagged_with_its_layers(pruned, quantising):
    int8 = quantising.run()
    assert int8["flagged"]
    names = {entry["layer"] for entry in int8["layers"]["in_float"]}
    assert {"features.0", "classifier"} <= names
    layers = [one for one in quantising.told if one["unit"] == "layers"]
    assert {one["total"] for one in layers} == {len(names)}
    assert "INT8: classifier in float" in {one["message"] for one in layers}
    with pruned.worker.store.read() as session:
        notice = runs.get(session, pruned.parent.run_id).notices[-1]
    assert (notice["code"], notice["message"]) == ("int8_drop", int8["finding"])


@pytest.mark.parametrize("at", [("parts", 1), ("parts", 3), ("layers", 2)])
def test_quantising_is_cancelled_between_its_parts(quantising, at):
    quantising.stop_at = at
    with pytest.raises(Cancelled):
        quantising.run()
    assert (quantising.told[-1]["unit"], quantising.told[-1]["done"]) == at


def test_no_file_names_a_path_of_this_machine(folder):
    for name in ("model.pt2", "model.onnx", "model-int8.onnx", "model.py", "manifest.json"):
        data = (folder / name).read_bytes()
        assert str(Path(pruning_job.__file__).parents[2]).encode() not in data, name
        assert b"site-packages" not in data, name


def test_the_proof_holds_images_and_what_the_masked_network_said(folder):
    kept = load_file(folder / "proof.safetensors")
    assert 1 <= len(kept["images"]) <= 32
    assert kept["scores"].dtype == torch.float64
    assert kept["scores"].shape == (len(kept["images"]), 10)


def test_the_zip_holds_every_file_and_sums_that_sha256sum_takes(folder, tmp_path):
    with zipfile.ZipFile(folder / NAMES["zip"]) as archive:
        archive.extractall(tmp_path)
    beside = {path.name for path in folder.iterdir()} - {NAMES["zip"]}
    assert {path.name for path in tmp_path.iterdir()} == beside | {"README.txt", "SHA256SUMS"}
    checked = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    readme = (tmp_path / "README.txt").read_text()
    for name in beside:
        assert name in readme
    assert "recede verify" in readme
    assert "test accuracy" in readme
    assert "onnxruntime, cut + INT8: test accuracy" in readme


def test_the_zip_has_the_same_bytes_when_it_is_packed_again(folder, tmp_path):
    for path in folder.iterdir():
        if path.name != NAMES["zip"]:
            shutil.copy(path, tmp_path / path.name)
    write_bundle(tmp_path, manifest_of(folder))
    assert (tmp_path / NAMES["zip"]).read_bytes() == (folder / NAMES["zip"]).read_bytes()


def left_of(job: ClaimedJob) -> list[str]:
    return sorted(path.name for path in (job.folder / "checkpoints").iterdir())


def test_a_cut_that_is_another_function_leaves_nothing(pruned, monkeypatch):
    job = pruned.worker.enqueue(pruned.parent.run_id, JobKind.PRUNE, LEAN)
    before = left_of(job)
    load = pruning_job.write_model

    def altered(*arguments: Any) -> Any:
        model = load(*arguments)
        with torch.no_grad():
            next(model.parameters()).mul_(1.01)
        return model

    monkeypatch.setattr(pruning_job, "write_model", altered)
    with pytest.raises(ProofFailed, match="File and network in memory"):
        job.perform()
    assert left_of(job) == before
    cancel(job)


def test_a_format_that_cannot_be_made_is_named_and_the_others_stay(pruned, monkeypatch):
    job = pruned.worker.enqueue(
        pruned.parent.run_id,
        JobKind.PRUNE,
        PrunePayload(plan=Plan(ratio=0.3), formats=("safetensors", "onnx", "int8")),
    )

    def half_written(program: Any, path: Path, *_: Any) -> Any:
        path.write_bytes(b"half")
        raise RuntimeError("no such operator\nand a long trace")

    monkeypatch.setattr(pruning_job, "prove_onnx", half_written)
    result = job.perform().result
    pruned.worker.finish(job)
    assert result["failed"] == {
        "onnx": "RuntimeError: no such operator",
        "int8": "It is made of the ONNX file, which could not be made.",
    }
    at = job.folder / "checkpoints" / result["checkpoint_id"]
    assert (at / NAMES["safetensors"]).exists()
    assert not (at / NAMES["onnx"]).exists()
    manifest = manifest_of(at)
    assert manifest["failed"] == result["failed"]
    assert not {"onnx", "int8"} & set(manifest)
    with pruned.worker.store.read() as session:
        notice = runs.get(session, job.run_id).notices[-2]
    assert (notice["code"], notice["hint"]) == ("no_onnx", "RuntimeError: no such operator")
    assert "the other files are there" in notice["message"]


@pytest.mark.parametrize("step", [1, 2, 4])
def test_it_is_cancelled_between_two_steps_and_leaves_nothing(pruned, step):
    job = pruned.worker.enqueue(pruned.parent.run_id, JobKind.PRUNE, LEAN)
    before = left_of(job)

    def publish(told: dict[str, Any]) -> None:
        if told["stage"] != "loading" and told["done"] == step - 1:
            job.cancelled.set()

    job.publish = publish
    with pytest.raises(Cancelled):
        job.perform()
    assert left_of(job) == before
    cancel(job)
