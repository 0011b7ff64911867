"""Files of other people's networks: each format computes what the masked network does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from recede_worker.core.cutting.surgery import Surgeon
from recede_worker.core.graph.channels import network_shape
from recede_worker.engine.checkpoints.export import (
    program_of,
    prove_onnx,
    prove_program,
    save_program,
    write_model,
)
from recede_worker.engine.checkpoints.proof import (
    exact_difference,
    largest_output,
    require_same,
    rounding,
    scores,
)
from recede_worker.engine.checkpoints.weights import NAMES, needs_of
from recede_worker.engine.verification.safe_program import why_not as why_no_program
from recede_worker.engine.verification.safe_source import why_not as why_no_source
from recede_worker.plugins.registry import architectures
from tests.worker.core.networks import (
    enliven,
    kept_counts,
    random_mask,
)

SIZE, CLASSES = 64, 7
ALONE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("backend", "worker", "torchvision", "timm", "safetensors"):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
sys.path.insert(0, sys.argv[1])
import json, torch
torch.set_num_threads(1)
from model import load, read
network = load(sys.argv[1] + "/model.safetensors")
proof = read(sys.argv[1] + "/proof.safetensors")
program = torch.export.load(sys.argv[1] + "/model.pt2").module()
with torch.no_grad():
    single = float((program(proof["images"][:1]) - network(proof["images"][:1])).abs().max())
    exact = network.double()(proof["images"].double())
print(json.dumps([float((exact - proof["scores"]).abs().max()), single]))
"""


def cut_and_written(name: str, folder: Path, size: int = SIZE, **params: str) -> dict[str, float]:
    """Write a random cut of a random network in every format; how far each is from the masked."""
    architecture = architectures()[name]
    config = architecture.config(3, CLASSES, size, params)
    norms = dict(architecture.norms(config))
    model = architecture.build(config)
    images = torch.randn(4, 3, size, size, generator=torch.Generator().manual_seed(3))
    enliven(model, images)
    shape = network_shape(
        model, architecture=name, norms=norms, input_shape=(3, size, size), classes=CLASSES,
        scale="plain",
    )  # fmt: skip
    mask = random_mask(shape, np.random.default_rng(0))
    surgeon = Surgeon(model, shape, norms)
    cut, masked = surgeon.cut(mask), surgeon.masked(mask)
    _, exact, expected = exact_difference(cut, masked, images, 10**9)
    expected.save(folder / NAMES["proof"])
    limit = rounding(masked, largest_output(masked, images))
    require_same("cut and masked", cut, masked, images, limit)
    kept = dict(zip(norms, kept_counts(shape, mask), strict=True))
    source = architecture.source(json.loads(json.dumps(architecture.cut_config(config, kept))))
    reloaded = write_model(cut, source, folder)
    program = program_of(cut, images[:2])
    save_program(program, folder / NAMES["pt2"])
    onnx = folder / NAMES["onnx"]
    return {
        "exact": exact,
        "file": require_same("file", reloaded, cut, images, limit),
        "pt2": prove_program(folder / NAMES["pt2"], cut, images, limit),
        "onnx": prove_onnx(program, onnx, {}, scores(cut, images), images, limit)[0],
        "limit": limit,
    }


def alone(folder: Path) -> tuple[float, float]:
    """Loaded where there is torch and nothing else: differences in float64 and of one image."""
    answer = subprocess.run(
        [sys.executable, "-I", "-B", "-W", "ignore", "-c", ALONE, str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    exact, single = json.loads(answer.stdout.splitlines()[-1])
    return exact, single


@pytest.mark.parametrize(
    ("name", "params"),
    [
        pytest.param("resnet18", {}, marks=pytest.mark.thorough),
        pytest.param("mobilenet_v2", {}, marks=pytest.mark.thorough),
        ("timm", {"model": "tf_mobilenetv3_small_minimal_100"}),
    ],
)
def test_every_format_of_somebody_elses_network_loads_without_their_package(
    name, params, tmp_path
):
    found = cut_and_written(name, tmp_path, **params)
    source = (tmp_path / "model.py").read_text()
    assert needs_of(source) == ["torch"]
    assert why_no_source(source) is None
    assert why_no_program(tmp_path / "model.pt2") is None
    assert found["file"] == 0.0
    exact, single = alone(tmp_path)
    assert exact < 1e-9 * 1e3
    assert single <= found["limit"]
