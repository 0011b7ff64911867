"""Options of the long benchmarks: wrong ones end them before a service is started."""

from __future__ import annotations

import sys

import pytest

from benchmarks import distillation, gate
from benchmarks.parts.experiment.options import parser, read, subject
from recede.contract.spec.run import RunSpec


@pytest.mark.parametrize(
    ("main", "options", "said"),
    [
        (distillation.main, ["--ratios", "1.2"], "above 0 and below 1"),
        (distillation.main, ["--weight", "2"], "at most 1"),
        (distillation.main, ["--epochs", "0"], "from 1 on"),
        (gate.main, ["--seeds", "-1"], "from 0 on"),
        (gate.main, ["--architecture", "vgg99"], "resnet20"),
    ],
)
def test_a_wrong_option_says_what_is_wanted_and_writes_nothing(
    main, options, said, monkeypatch, capsys, tmp_path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["benchmark", *options])
    with pytest.raises(SystemExit):
        main()
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_seed_that_is_given_twice_counts_once(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["benchmark", "--seeds", "1", "0", "1"])
    assert read(parser("", "data")).seeds == [1, 0]


@pytest.mark.parametrize("folder", [None, "cifar"])
@pytest.mark.parametrize("architecture", ["vgg11", "resnet20"])
def test_every_network_is_a_spec(architecture, folder):
    spec = RunSpec.model_validate({**subject(architecture, folder).spec, "method": "rni"})
    assert spec.dataset == ("folder" if folder else "fashion-mnist")
