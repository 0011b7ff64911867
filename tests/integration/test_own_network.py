"""A user's own network through the whole loop: trained, cut by groups and channels, loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from recede.client import ApiError
from recede.contract.schemas import CheckpointOut, RunOut
from recede.contract.spec.run import Plan, RunSpec
from recede.contract.states import State
from tests.service import (
    SMALL_RUN,
    Service,
    running,
)

pytestmark = pytest.mark.slow

CODE = '''
import torch
from torch import nn


def unit(width, out, kernel, groups=1):
    conv = nn.Conv2d(width, out, kernel, padding=kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out), nn.ReLU(inplace=True))


class Block(nn.Module):
    """Two convolutions beside a shortcut that nothing narrows."""

    def __init__(self, width):
        super().__init__()
        self.first, self.second = unit(width, width, 3), unit(width, width, 3)[:2]

    def forward(self, x):
        return torch.relu(x + self.second(self.first(x)))


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


def residual(channels, classes, size):
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.Sequential(
        unit(channels, 12, 3), nn.MaxPool2d(2), Block(12), Block(12), pool, nn.Linear(12, classes)
    )


NETWORKS = {
    "residual-net": residual,
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


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One that was told of the file, and of another one that is not there."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "person_loop_net.py").write_text(CODE)
    with pytest.MonkeyPatch.context() as patch:
        files = f"{folder / 'person_loop_net.py'}:{folder / 'gone.py'}"
        patch.setenv("RECEDE_NETWORKS", files)
        with running(folder) as started:
            yield started


def spec_of(network: str, **changes: Any) -> dict[str, Any]:
    own = {"architecture": network, "architecture_params": {}, "epochs": 2}
    return {**SMALL_RUN, **own, **changes}


def trained(service: Service, spec: dict[str, Any]) -> RunOut:
    return service.finished_run(service.client.create_run(RunSpec.model_validate(spec)).run.id)


def pruned(
    service: Service, run_id: str, plan: Plan, folder: Path, formats: list[str] | None = None
) -> CheckpointOut:
    """The checkpoint of a cut, its weights and module downloaded."""
    job = service.client.prune(run_id, plan, formats=formats).job
    result = service.finished_job(job.id).result
    assert result is not None
    checkpoint = service.client.checkpoint(result["checkpoint_id"])
    for form, name in (("safetensors", "model.safetensors"), ("python", "model.py")):
        service.client.download(checkpoint.id, folder / name, format=form)
    return checkpoint


def loaded(folder: Path) -> str:
    """What a process says that knows nothing but the two files."""
    answer = subprocess.run(
        [sys.executable, "-c", LOAD], cwd=folder, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.split()[-1]


def test_a_wrong_name_or_network_is_refused_and_a_missing_file_told(service):
    gone = service.folder / "gone.py"
    assert service.client.catalog().problems == (f"{gone}: there is no such file",)
    with pytest.raises(ApiError, match="gated-nett"):
        service.client.create_run(RunSpec.model_validate(spec_of("gated-nett")))
    refused = trained(service, spec_of("flat-net"))
    assert refused.state == State.FAILED
    assert refused.error is not None
    assert refused.error.field == "architecture"
    assert "no BatchNorm2d" in refused.error.message


def test_it_is_trained_cut_and_loaded_beside_its_file(service, tmp_path: Path):
    run = trained(service, spec_of("gated-net"))
    assert run.state == State.SUCCEEDED, run.error
    shape = service.client.network(run.id)
    sizes = {group.name: group.size for group in shape.groups}
    assert sizes == {"stem.0": 12, "wide.0": 6, "last.0": 16}
    assert service.client.snapshot(run.id, 2).size == 34
    plan = Plan(ratio=0.4)
    preview = service.client.preview(run.id, plan)
    checkpoint = pruned(service, run.id, plan, tmp_path, ["safetensors"])
    assert checkpoint.manifest["config"]["norms"] == {
        "stem.0": "stem.1",
        "wide.0": "grouped.1",
        "last.0": "deep.1",
    }
    assert loaded(tmp_path) == str(preview.cost.params)


def test_a_shortcuts_channels_are_trained_and_cut_together_in_the_scope_all(
    service, tmp_path: Path
):
    run = trained(service, spec_of("residual-net", prunable="all"))
    assert run.state == State.SUCCEEDED, run.error
    (stream, *inner) = service.client.network(run.id).groups
    assert len(stream.members) == 3  # the stem and the second convolution of each block
    assert len(inner) == 2
    plan = Plan(ratio=0.5, scope="local")
    preview = service.client.preview(run.id, plan)
    checkpoint = pruned(service, run.id, plan, tmp_path)
    told = checkpoint.manifest
    assert told["widths"][stream.name] == 6
    assert told["max_difference"]["cut_vs_masked_float64"] <= 1e-9
    weights = load_file(tmp_path / "model.safetensors")
    assert weights["5.weight"].shape == (10, 6)  # the head reads the narrow stream
    assert weights["2.second.0.weight"].shape == (6, 6, 3, 3)
    assert loaded(tmp_path) == str(preview.cost.params)
    service.client.download(checkpoint.id, tmp_path / "all.zip", format="zip")
    answer = service.recede("verify", str(tmp_path / "all.zip"), "--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert {check["state"] for check in json.loads(answer.stdout)["checks"]} == {"ok"}
