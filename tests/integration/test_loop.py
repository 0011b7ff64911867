"""The whole loop on real data through API and command line, against the real service."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from recede.client import ApiError
from recede.contract.schemas import RunOut
from recede.contract.spec.run import (
    Init,
    Plan,
    RunSpec,
)
from recede.contract.states import CheckpointKind, State
from tests.service import SMALL_RUN, Service
from tests.worker_process import eventually

pytestmark = pytest.mark.slow

FILE_NAMES = {
    "safetensors": "model.safetensors",
    "python": "model.py",
    "pt2": "model.pt2",
    "onnx": "model.onnx",
    "proof": "proof.safetensors",
    "zip": "all.zip",
    "manifest": "manifest.json",
}

# What a person does with the download, in a process that knows nothing of this project.
LOAD = """
import importlib.util, json, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        ours = ("backend", "worker", "dashboard", "torch_pruning", "torchvision")
        if name.split(".")[0] in ours:
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
import torch
from safetensors.torch import load_file
folder = sys.argv[1]
spec = importlib.util.spec_from_file_location("model", folder + "/model.py")
module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
network = module.build()
network.load_state_dict(load_file(folder + "/model.safetensors"))
network.eval()
program = torch.export.load(folder + "/model.pt2").module()
manifest = json.load(open(folder + "/manifest.json"))
torch.manual_seed(0)
x = torch.randn(5, *manifest["input"]["shape"])
with torch.no_grad():
    a, b, one = network(x), program(x), program(x[:1])
print(json.dumps({"difference": (a - b).abs().max().item(), "shape": list(a.shape),
    "single": (one - a[:1]).abs().max().item(),
    "params": sum(p.numel() for p in network.parameters())}))
"""


@pytest.fixture(scope="module")
def service(one_service: Service) -> Service:
    return one_service


def test_a_deep_link_that_is_the_first_page_asked_for_finds_every_script(service: Service):
    page = httpx.get(f"{service.url}/runs/abcdefgh").text
    (listed,) = re.findall(r'<script type="application/json" id="modules">(.*)</script>', page)
    served = json.loads(listed)
    asked = re.findall(r'rel="modulepreload" href="([^"]+)"', page)
    asked += [served["base"] + one for found in served["pages"] for one in found["files"]]
    assert len(asked) > 5
    for address in asked:
        answer = httpx.get(f"{service.url}{address}")
        assert answer.status_code == 200, address
        assert answer.headers["content-type"].startswith("text/javascript")


@pytest.fixture(scope="module")
def run(one_run: RunOut) -> RunOut:
    return one_run


def test_a_run_leaves_epochs_snapshots_and_a_curve(service: Service, run: RunOut):
    epochs = service.client.epochs(run.id).items
    curve = service.client.curve(run.id)
    shape = service.client.network(run.id)
    assert [epoch.epoch for epoch in epochs] == [0, 1, 2, 3, 4]
    assert service.client.snapshots(run.id).epochs == [0, 1, 2, 3, 4]
    assert service.client.snapshot(run.id, 4).size == shape.n_neurons
    assert len(curve.points) >= 15
    assert curve.points[0].ratio == 0
    assert curve.lossless_ratio == run.lossless_ratio
    assert run.val_accuracy is not None
    assert run.test_accuracy is not None
    # Cutting nothing changes nothing: the curve begins at the accuracy that chose the epoch.
    assert curve.points[0].accuracy.value == run.val_accuracy.value


def test_histograms_count_every_neuron_of_every_epoch(service: Service, run: RunOut):
    neurons = service.client.network(run.id).n_neurons
    for axis in ("sigma", "logit"):
        histogram = service.client.histograms(run.id, axis=axis)
        assert np.asarray(histogram.counts).shape == (5, 128)
        assert (np.asarray(histogram.counts).sum(axis=1) == neurons).all()


def test_evaluating_the_same_cut_again_answers_from_the_store(service: Service, run: RunOut):
    plan = Plan(ratio=0.02, overrides={"features.0": 0.5})  # no point of the curve
    first = service.client.evaluate(run.id, plan)
    assert first.job is not None
    service.finished_job(first.job.id)
    again = service.client.evaluate(run.id, plan)
    assert again.job is None
    assert again.evaluation is not None
    preview = service.client.preview(run.id, plan)
    assert preview.accuracy is not None
    assert preview.accuracy.kind == "measured"
    assert preview.accuracy.value == again.evaluation.accuracy.value
    assert preview.digest == again.evaluation.digest


@pytest.fixture(scope="module")
def pruned(service: Service, run: RunOut, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all files of a pruned checkpoint, downloaded."""
    folder = tmp_path_factory.mktemp("download")
    job = service.client.prune(run.id, Plan(ratio=0.4))
    result = service.finished_job(job.job.id).result
    assert result is not None
    checkpoint = service.client.checkpoint(result["checkpoint_id"])
    assert checkpoint.kind == CheckpointKind.PRUNED
    for form, file in checkpoint.files.items():
        target = folder / FILE_NAMES[form]
        service.client.download(checkpoint.id, target, format=form)
        assert hashlib.sha256(target.read_bytes()).hexdigest() == file.sha256
    assert checkpoint.sha256 == checkpoint.files["safetensors"].sha256
    return folder


def test_downloads_load_without_this_project(service: Service, run: RunOut, pruned: Path):
    answer = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", LOAD, str(pruned)],
        capture_output=True, text=True, check=False, cwd=pruned,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    preview = service.client.preview(run.id, Plan(ratio=0.4))
    assert found["difference"] <= 1e-5
    assert found["single"] <= 1e-4
    assert found["shape"] == [5, 10]
    assert found["params"] == preview.cost.params


def test_downloads_are_proved_without_the_service(service: Service, pruned: Path):
    answer = service.recede("verify", str(pruned / "all.zip"), "--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    states = [check["state"] for check in json.loads(answer.stdout)["checks"]]
    assert set(states) == {"ok"}
    assert len(states) >= 9


def test_the_manifest_holds_plan_proof_and_figures(service: Service, run: RunOut, pruned: Path):
    manifest = json.loads((pruned / "manifest.json").read_text())
    preview = service.client.preview(run.id, Plan(ratio=0.4))
    assert manifest["run_id"] == run.id
    assert manifest["plan"]["ratio"] == 0.4
    assert manifest["widths"] == preview.kept
    assert manifest["cost"] == preview.cost.model_dump()
    assert manifest["max_difference"]["cut_vs_masked"] <= 1e-5
    assert manifest["max_difference"]["file_vs_memory"] == 0.0
    assert manifest["accuracy"]["test"]["n"] == 359
    assert manifest["accuracy"]["validation"]["n"] == 144
    assert set(manifest["versions"]) >= {"recede", "torch", "python"}
    for name in ("model.safetensors", "model.py", "model.pt2", "model.onnx", "proof.safetensors"):
        written = (pruned / name).read_bytes()
        assert manifest["files"][name]["sha256"] == hashlib.sha256(written).hexdigest()
        assert manifest["files"][name]["size_bytes"] == len(written)


def test_nothing_is_queued_by_what_is_refused(service: Service, run: RunOut):
    before = len(service.client.jobs().items)
    bad = [
        ({"dataset": "digit"}, "dataset"),
        ({"architecture_params": {"width": 0.01}}, "architecture_params.width"),
        ({"method_params": {"lambda": 1}}, "method_params.lambda"),
        ({"batch_size": 5000}, "batch_size"),
        ({"device": "cuda:7"}, "device"),
    ]
    for change, field in bad:
        with pytest.raises(ApiError) as refusal:
            service.client.create_run(RunSpec.model_validate({**SMALL_RUN, **change}))
        assert refusal.value.field == field
        assert refusal.value.status == 422
    assert len(service.client.jobs().items) == before


def test_submit_with_watch_shows_progress_and_ends_with_the_lossless_ratio(service: Service):
    words = "submit --dataset digits --architecture vgg11 --width 0.1 --method rni --epochs 2"
    answer = service.recede(*words.split(), "--watch")
    assert answer.returncode == 0, answer.stderr
    assert re.search(r"lossless ratio: [\d.]+ %", answer.stdout, re.IGNORECASE), answer.stdout


def test_prune_from_the_command_line_writes_verified_files(
    service: Service, run: RunOut, tmp_path: Path
):
    answer = service.recede("prune", run.id, "--ratio", "0.25", "--out", str(tmp_path))
    assert answer.returncode == 0, answer.stderr
    suffixes = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert {".safetensors", ".json", ".py", ".pt2"} <= suffixes


def test_a_mistake_on_the_command_line_is_one_message_and_exit_code_2(service: Service):
    words = "submit --dataset digits --architecture vgg12 --method rni"
    answer = service.recede(*words.split())
    assert answer.returncode == 2
    assert "vgg12" in answer.stderr
    assert "vgg11" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.thorough  # tests/browser/runs/test_control.py kills one under the eyes of a page
def test_a_killed_worker_is_started_again_by_the_service_and_the_run_goes_on(service: Service):
    spec = RunSpec.model_validate({**SMALL_RUN, "epochs": 6})
    run_id = service.client.create_run(spec).run.id
    eventually(lambda: service.client.run(run_id).epochs_done >= 1, "the first epoch")
    children = psutil.Process(service.process.pid).children()
    worker = next(child for child in children if "recede_worker" in child.cmdline())
    worker.kill()
    finished = service.finished_run(run_id)
    assert finished.state == State.SUCCEEDED, finished.error
    epochs = [epoch.epoch for epoch in service.client.epochs(run_id).items]
    assert epochs == list(range(7))


@pytest.mark.thorough
def test_the_demo_on_digits_has_two_humps_and_loses_nothing_at_half_of_its_neurons(
    service: Service,
):
    """On the data set that every machine has; docs/benchmarks.md has Fashion-MNIST's figures."""
    from recede_worker.plugins.catalog import demo_on

    run = service.finished_run(service.client.create_run(demo_on("digits")).run.id)
    points = service.client.curve(run.id).points
    at_half = min(points, key=lambda point: abs(point.ratio - 0.5))
    assert at_half.ratio > 0.49
    assert points[0].accuracy.value - at_half.accuracy.value < 0.005
    assert run.best_epoch is not None
    score = 1 / (1 + np.exp(-service.client.snapshot(run.id, run.best_epoch).astype(float)))
    low, between, high = (
        np.mean((score >= a) & (score < b)) for a, b in ((0, 0.1), (0.1, 0.3), (0.3, 1))
    )
    assert low > 0.4
    assert high > 0.3
    assert between < 0.5 * min(low, high)


def test_a_cut_network_is_fine_tuned_measured_and_cut_again_without_its_parent(service: Service):
    client = service.client
    spec = RunSpec.model_validate({**SMALL_RUN, "epochs": 2})
    parent = service.finished_run(client.create_run(spec).run.id)
    plan = Plan(ratio=0.3)
    evaluation = client.evaluate(parent.id, plan)
    if evaluation.job is not None:
        service.finished_job(evaluation.job.id)
    cut = client.preview(parent.id, plan)
    init = Init(run=parent.id, plan=plan)
    tuning = spec.model_copy(update={"init": init, "method_params": {}, "epochs": 1})
    run = service.finished_run(client.create_run(tuning).run.id)
    assert run.state == State.SUCCEEDED, run.error
    assert run.spec.method_params["lam"] == 0
    client.delete_run(parent.id)
    before, after = client.epochs(run.id).items
    assert cut.accuracy is not None
    assert before.val_accuracy == pytest.approx(cut.accuracy.value)
    assert after.penalty == 0
    shape = client.network(run.id)
    assert {group.name: group.size for group in shape.groups} == cut.kept
    assert client.snapshot(run.id, 1).size == shape.n_neurons
    assert client.curve(run.id).points
    result = service.finished_job(client.prune(run.id, Plan(ratio=0.2)).job.id).result
    assert result is not None
    manifest = client.checkpoint(result["checkpoint_id"]).manifest
    assert manifest["start"]["run_id"] == parent.id
    assert manifest["start"]["digest"] == cut.digest
