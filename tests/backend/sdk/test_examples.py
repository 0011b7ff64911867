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


def detection(monkeypatch, *arguments: str, name: str = "__main__") -> dict:
    monkeypatch.setattr(sys, "argv", ["detection.py", *arguments])
    return runpy.run_path(str(ROOT / "examples/detection.py"), run_name=name)


def boxes(*found: tuple[int, float]) -> dict:
    """Found boxes, the best first: each 10 pixels wide, at this height."""
    corners = [[0.0, float(top), 10.0, top + 10.0] for top, _ in found]
    scores = [score for _, score in found]
    return {
        "boxes": torch.tensor(corners).view(-1, 4),
        "labels": torch.ones(len(found), dtype=torch.int64),
        "scores": torch.tensor(scores),
    }


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ([boxes((0, 0.9), (50, 0.8)), boxes((2, 0.7))], 1.0),  # an overlap of 8/12 counts
        ([boxes((0, 0.9)), boxes()], 1 / 3),  # two are missed
        ([boxes((0, 0.9), (1, 0.8), (50, 0.7)), boxes((0, 0.6))], (1 + 3 / 4 + 3 / 4) / 3),
        ([boxes((90, 0.9), (0, 0.8)), boxes()], 1 / 2 / 3),  # the best is none
        ([boxes((4, 0.9)), boxes()], 0.0),  # an overlap of 6/14 does not
        ([boxes(), boxes()], 0.0),
    ],
)
def test_the_detectors_precision_counts_each_box_once(monkeypatch, found, wanted):
    there = [boxes((0, 1.0), (50, 1.0)), boxes((0, 1.0))]
    precision = detection(monkeypatch, name="detection")["average_precision"]
    assert precision(found, there, 1) == pytest.approx(wanted)
    assert precision(found, there, 1) == precision([*found, boxes()], [*there, boxes()], 1)


@pytest.mark.thorough
def test_a_detector_is_recorded_measured_and_cut(tmp_path, monkeypatch, capsys, caplog):
    monkeypatch.chdir(tmp_path)
    detection(monkeypatch, "--epochs", "1", "--images", "16")
    found = Recording(tmp_path / "recordings" / "boxes")
    assert found.begun.network is not None
    assert found.scales(1).size == sum(group.size for group in found.begun.network.groups)
    assert found.cuts[1][0.0].value == pytest.approx(found.epochs[1].metrics["map_50"])
    before, after = re.search(
        r"cut: ([\d,]+) → ([\d,]+) parameters", capsys.readouterr().out
    ).groups()
    assert int(after.replace(",", "")) < int(before.replace(",", ""))
    assert torch.load("small.pt", weights_only=True)
    assert not [record for record in caplog.records if record.name == "recede"]
