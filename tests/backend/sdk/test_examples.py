"""The examples do what they say."""

from __future__ import annotations

import re
import runpy
import sys

import pytest
import torch

from recede.sdk.recording.reading import Recording
from tests.house.files import ROOT


def test_the_plain_loop_is_recorded_measured_and_cut(tmp_path, monkeypatch, capsys, caplog):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["plain_loop.py", "--epochs", "2"])
    runpy.run_path(str(ROOT / "examples/plain_loop.py"), run_name="__main__")
    found = Recording(tmp_path / "recordings" / "digits")
    assert list(found.epochs) == [0, 1, 2]
    assert found.finished is not None
    dense = found.cuts[found.best][0.0].value
    assert dense == pytest.approx(found.epochs[found.best].metrics["val_accuracy"])
    small = torch.load(tmp_path / "small.pt", weights_only=True)
    assert small["3.weight"].shape[0] < 32
    said = capsys.readouterr().out
    assert "50 % of the neurons cut" in said
    assert "fine-tuned" in said
    assert not [record for record in caplog.records if record.name == "recede"]


def test_a_segmentation_network_is_recorded_measured_cut_and_saved_for_torch_alone(
    tmp_path, monkeypatch, capsys, caplog
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["segmentation.py", "--epochs", "1", "--images", "16"])
    runpy.run_path(str(ROOT / "examples/segmentation.py"), run_name="__main__")
    found = Recording(tmp_path / "recordings" / "shapes")
    assert found.begun.metric.name == "mean_iou"
    assert found.cuts[1][0.0].value == pytest.approx(found.epochs[1].metrics["mean_iou"])
    program = torch.export.load("small.pt2")
    said = capsys.readouterr().out
    before, after = re.search(r"cut: ([\d,]+) → ([\d,]+) parameters", said).groups()
    numbers = sum(p.numel() for p in program.parameters())
    assert numbers == int(after.replace(",", "")) < int(before.replace(",", ""))
    calls = [node.target for node in program.graph.nodes if node.op == "call_function"]
    assert {call.namespace for call in calls if isinstance(call, torch._ops.OpOverload)} == {
        "aten"
    }
    with torch.no_grad():
        out = program.module()(torch.randn(3, 3, 64, 64))["out"]
    assert out.shape == (3, 4, 64, 64)
    assert not [record for record in caplog.records if record.name == "recede"]
