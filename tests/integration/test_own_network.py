"""A person's own network through the whole loop: trained, cut by groups and channels, loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from backend.client import ApiError
from backend.contract.specs import Plan, RunSpec
from backend.contract.states import State
from tests.service import SMALL_RUN, running

pytestmark = pytest.mark.slow

CODE = '''
import torch
from torch import nn


def unit(width, out, kernel, groups=1):
    conv = nn.Conv2d(width, out, kernel, padding=kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out), nn.ReLU(inplace=True))


class Net(nn.Module):
    """A stem, a grouped convolution with a gate behind it, and a depthwise one."""

    def __init__(self, channels, classes):
        super().__init__()
        self.stem, self.wide = unit(channels, 12, 3), unit(12, 24, 1)
        self.grouped, self.last = unit(24, 24, 3, groups=6), unit(24, 16, 1)
        self.squeeze, self.excite = nn.Conv2d(24, 4, 1), nn.Conv2d(4, 24, 1)
        self.deep = unit(16, 16, 3, groups=16)
        self.head = nn.Linear(16, classes)

    def forward(self, images):
        x = self.grouped(self.wide(self.stem(images)))
        gate = torch.relu(self.squeeze(x.mean((2, 3), keepdim=True)))
        x = self.deep(self.last(x * torch.sigmoid(self.excite(gate))))
        return self.head(x.mean((2, 3)))


NETWORKS = {
    "gated-net": lambda channels, classes, size: Net(channels, classes),
    "flat-net": lambda channels, classes, size: nn.Sequential(
        nn.Flatten(), nn.Linear(channels * size * size, classes)
    ),
}
'''
LOAD = """
import torch
from safetensors.torch import load_file
from model import build
network = build()
network.load_state_dict(load_file("model.safetensors"))
print(network.eval()(torch.zeros(2, 1, 8, 8)).shape, sum(p.numel() for p in network.parameters()))
"""


def test_it_is_trained_cut_and_loaded_beside_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "person_loop_net.py").write_text(CODE)
    files = f"{tmp_path / 'person_loop_net.py'}:{tmp_path / 'gone.py'}"
    monkeypatch.setenv("RECEDE_NETWORKS", files)
    spec = {**SMALL_RUN, "architecture": "gated-net", "architecture_params": {}, "epochs": 2}
    with running(tmp_path) as service:
        catalog = service.client.catalog()
        assert catalog.problems == (f"{tmp_path / 'gone.py'}: there is no such file",)
        wrong = RunSpec.model_validate({**spec, "architecture": "gated-nett"})
        with pytest.raises(ApiError, match="gated-nett"):
            service.client.create_run(wrong)
        plain = RunSpec.model_validate({**spec, "architecture": "flat-net"})
        refused = service.finished_run(service.client.create_run(plain).run.id)
        run = service.finished_run(service.client.create_run(RunSpec.model_validate(spec)).run.id)
        assert refused.state == State.FAILED
        assert refused.error is not None
        assert (refused.error.field, "no BatchNorm2d" in refused.error.message) == (
            "architecture",
            True,
        )
        assert run.state == State.SUCCEEDED, run.error
        shape = service.client.network(run.id)
        sizes = {group.name: group.size for group in shape.groups}
        assert sizes == {"stem.0": 12, "wide.0": 6, "last.0": 16}
        assert service.client.snapshot(run.id, 2).size == 34
        plan = Plan(ratio=0.4)
        preview = service.client.preview(run.id, plan)
        result = service.finished_job(service.client.prune(run.id, plan).job.id).result
        assert result is not None
        checkpoint = service.client.checkpoint(result["checkpoint_id"])
        for form, name in (("safetensors", "model.safetensors"), ("python", "model.py")):
            service.client.download(checkpoint.id, tmp_path / name, format=form)
    assert json.dumps(checkpoint.manifest["config"]["norms"]) == json.dumps(
        {"stem.0": "stem.1", "wide.0": "grouped.1", "last.0": "deep.1"}
    )
    loaded = subprocess.run(
        [sys.executable, "-c", LOAD], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert loaded.stdout.split()[-1] == str(preview.cost.params), loaded.stderr
