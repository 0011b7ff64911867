"""A network that nobody traced before is traced in a process of its own, and only once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import torch

from recede_worker.networks import tracing
from recede_worker.networks.own import OwnNetwork, own_networks
from recede_worker.networks.tracing import TracingOptions, tracing_with
from recede_worker.process.limits import Limits
from recede_worker.process.sandbox import LimitReached

CODE = """
import os
from pathlib import Path

import torch
from torch import nn


class Wide(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(channels, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Linear(8, classes)

    def forward(self, images):
        maps = self.first(images)
        wasted = torch.ones(2**33)
        return self.head(maps.mean((2, 3)))


class Small(Wide):
    def forward(self, images):
        with Path(__file__).with_name("pids").open("a") as file:
            file.write(f"{os.getpid()}\\n")
        return self.head(self.first(images).mean((2, 3)))


NETWORKS = {
    "wide": lambda channels, classes, size: Wide(channels, classes),
    "small": lambda channels, classes, size: Small(channels, classes),
}
"""


@pytest.fixture
def networks(tmp_path, monkeypatch) -> dict[str, OwnNetwork]:
    """Two networks: one that takes 32 GiB for an image, and one that notes who traces it."""
    path = tmp_path / "limited_nets.py"
    path.write_text(CODE)
    monkeypatch.setattr(sys, "path", [*sys.path])
    found, problems = own_networks([path], [])
    assert not problems
    tracing._known.cache_clear()
    with tracing_with(TracingOptions()):
        yield found
    tracing._known.cache_clear()
    sys.modules.pop("limited_nets")


def test_a_network_that_wants_all_memory_is_refused_and_the_process_lives(networks):
    refused = pytest.raises(LimitReached, match="Tracing wide needs more than the 1 GiB")
    with tracing_with(TracingOptions(limits=Limits(memory_gb=1))), refused:
        networks["wide"].config(3, 5, 28, {})


def test_it_is_traced_elsewhere_and_found_again_in_the_folder(networks, tmp_path):
    def here() -> bool:
        return str(os.getpid()) in (tmp_path / "pids").read_text().split()

    logged: list[str] = []
    folder = tmp_path / "networks"
    with tracing_with(TracingOptions(folder, log=logged.append)):
        config = networks["small"].config(3, 5, 28, {})
        assert not here()
        assert len(logged) == 1
        kept = list(folder.iterdir())
        tracing._known.cache_clear()
        assert networks["small"].config(3, 5, 28, {}) == config
        assert len(logged) == 1, "read from the folder"
        tracing._known.cache_clear()
        for path in kept:
            path.write_text("{")
        assert networks["small"].config(3, 5, 28, {}) == config
        assert len(logged) == 2, "a damaged file is no finding"
    networks["small"].build(config)(torch.zeros(1, 3, 28, 28))
    assert here()


def test_other_code_is_traced_again(networks, tmp_path):
    before = networks["small"].stamp()
    (tmp_path / "helper.py").write_text("WIDTH = 3\n")
    assert networks["small"].stamp() != before


def test_a_job_that_is_to_stop_stops_tracing(networks):
    class Stopped(Exception):
        pass

    def check() -> None:
        raise Stopped

    with tracing_with(TracingOptions(check=check)), pytest.raises(Stopped):
        networks["small"].config(3, 5, 28, {})


def test_nothing_is_kept_without_a_folder(networks, tmp_path):
    networks["small"].config(3, 5, 28, {})
    assert not Path(tmp_path / "networks").exists()
