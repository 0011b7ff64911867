"""The examples do what they say."""

from __future__ import annotations

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
