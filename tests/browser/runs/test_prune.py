"""Prune and download: the file in the browser is the file that was verified, and loads alone."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from recede.contract.schemas import RunOut
from recede.contract.states import CheckpointKind
from tests.backend.bench.onnx_files import body
from tests.browser.screen import (
    TRAINING_MS,
    numbers,
    open_explore,
)
from tests.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

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
spec = importlib.util.spec_from_file_location("model", sys.argv[1])
module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
network = module.build()
network.load_state_dict(load_file(sys.argv[2]))
network.eval()
with torch.no_grad():
    out = network(torch.randn(5, 1, 32, 32))
print(json.dumps({"shape": list(out.shape), "finite": bool(torch.isfinite(out).all()),
    "params": sum(p.numel() for p in network.parameters())}))
"""


@pytest.fixture
def pruned(page: Page, run: RunOut) -> Page:
    """Explore, with a cut of 40 % made from there."""
    open_explore(page, run.id, "&r=0.4")
    page.get_by_test_id("prune-button").click()
    result = page.get_by_test_id("prune-result")
    expect(result).to_have_attribute("data-state", "done", timeout=TRAINING_MS)
    return page


def download(page: Page, form: str, folder: Path) -> Path:
    """Click a link and keep the file under the name that the browser gives it."""
    with page.expect_download() as started:
        page.get_by_test_id(f"download-{form}").click()
    target = folder / started.value.suggested_filename
    started.value.save_as(target)
    return target


def test_a_pruned_network_is_downloaded_and_loads_with_torch_and_safetensors_alone(
    pruned: Page, service: Service, run: RunOut, tmp_path: Path
):
    cut = numbers(pruned)
    weights = download(pruned, "safetensors", tmp_path)
    module = download(pruned, "python", tmp_path)
    manifest = json.loads(download(pruned, "manifest", tmp_path).read_text())
    shown = pruned.get_by_test_id("prune-sha256").text_content()
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == shown
    assert manifest["widths"] == cut["kept"]
    answer = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", LOAD, str(module), str(weights)],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == {
        "shape": [5, 10], "finite": True, "params": cut["params"],
    }  # fmt: skip

    proof = pruned.get_by_test_id("prune-proof")
    expect(proof).to_contain_text("reloaded file")
    expect(proof).to_contain_text("Cut and masked network agree")
    found = [
        one
        for one in service.client.checkpoints(run.id).items
        if one.kind == CheckpointKind.PRUNED and one.sha256 == shown
    ]
    assert found != []
    pruned.get_by_test_id("files-link").click()
    card = pruned.get_by_test_id("checkpoint-pruned")
    expect(card.locator(f'[data-copy="{shown}"]')).to_be_visible()


def test_an_int8_file_is_shown_and_a_latency_of_another_device_is_aimed_at(
    page: Page, service: Service, run: RunOut
):
    open_explore(page, run.id, "&r=0.3")
    page.get_by_test_id("prune-int8").check()
    page.get_by_test_id("prune-button").click()
    result = page.get_by_test_id("prune-result")
    expect(result).to_have_attribute("data-state", "done", timeout=TRAINING_MS)
    expect(page.get_by_test_id("download-int8")).to_be_visible()
    onnx_sum = page.get_by_test_id("download-onnx").get_attribute("data-sha256")
    page.get_by_test_id("files-link").click()
    table = page.get_by_test_id("int8").first
    expect(table).to_contain_text("Cut + INT8")
    expect(table).to_contain_text("Calibrated on 256 training images")

    timed = page.get_by_test_id("benches-pruned").first
    expect(timed).to_contain_text("recede_bench.py")
    assert onnx_sum is not None
    service.client.add_benches(body(onnx_sum, 3.75))
    expect(timed).to_contain_text("a board")  # without a reload

    open_explore(page, run.id, "&r=0.1")
    before = numbers(page)["params"]
    page.get_by_test_id("target-kind").select_option("latency")
    page.get_by_test_id("latency-device").select_option("a board")
    field, toast = page.get_by_test_id("target-input"), page.get_by_test_id("toast")
    field.fill("1")
    page.get_by_test_id("latency-find").click()
    expect(toast).to_contain_text("the fastest takes 3.75")
    assert numbers(page)["params"] == before
    field.fill("4")
    page.get_by_test_id("latency-find").click()
    expect(toast).to_contain_text("removed takes 3.75")
    assert numbers(page)["params"] < before
