"""evaluate=…: cuts are measured where the network trains, on masked copies, within a budget."""

from __future__ import annotations

import logging
import random

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import recede
from recede.cli import app as command
from recede.client import ApiError, RecedeClient
from recede.contract.cut.selection import select
from recede.contract.schemas import RecordedCut, RecordedCutsBody
from recede.contract.spec.run import Plan
from recede.sdk.network.masked import ALL, PATIENCE
from recede.sdk.recording.journal import Journal
from recede.sdk.recording.lines import Logged
from recede.sdk.recording.reading import Recording
from recede.sdk.sending.delivery import Delivery
from recede.sdk.watching.measuring import SHARE, Measuring
from recede.sdk.watching.recorder import Watched
from recede.sdk.watching.trouble import Trouble
from tests.backend.sdk.watched import Training, images

ACCURACY = recede.Metric(name="accuracy", n=16)


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.WARNING, "recede")
    return lambda: [record.message for record in caplog.records if record.name == "recede"]


def share_right(model) -> float:
    """Of the made images, as somebody's own evaluation counts it."""
    assert not model.training
    return float((model(images()).argmax(1) == torch.arange(16) % 3).double().mean())


def test_the_curve_is_what_the_cut_networks_give(tmp_path, said):
    training = Training()
    options = {"folder": tmp_path, "metric": "total", "evaluate": lambda m: m(images()).sum()}
    with recede.watch(training.model, images(), **options) as run:
        training.epoch()
        run.log(1, total=0)
    found = Recording(tmp_path)
    assert sorted(found.cuts[1]) == sorted(ALL)
    for ratio in (0.0, 0.3, 0.75):
        with torch.no_grad():
            wanted = recede.cut(training.model, images(), ratio)(images()).sum()
        assert found.cuts[1][ratio].value == pytest.approx(float(wanted), rel=1e-4)
        selection = select(found.begun.network, found.scales(1), Plan(epoch=1, ratio=ratio))
        assert found.cuts[1][ratio].digest == selection.digest
    assert said() == []


def test_the_best_epoch_is_measured_with_the_weights_that_it_had(tmp_path):
    training = Training()
    seen = {}

    def output(model) -> float:
        return float(model(images()).sum())

    with recede.watch(
        training.model, images(), folder=tmp_path, metric="score", evaluate=output
    ) as run:
        for epoch, score in ((1, 0.9), (2, 0.1)):
            training.epoch()
            with torch.no_grad():
                seen[epoch] = output(training.model.eval())
            training.model.train()
            run.log(epoch, score=score)
    cuts = Recording(tmp_path).cuts
    for epoch in (1, 2):
        assert cuts[epoch][0.0].value == pytest.approx(seen[epoch], rel=1e-4)


def test_what_evaluate_draws_does_not_change_the_training(tmp_path):
    def drawing(_model) -> float:
        return random.random() + float(np.random.rand()) + float(torch.rand(1))

    after = []
    for evaluate in (None, drawing):
        random.seed(0)
        np.random.seed(0)
        training = Training()
        run = recede.watch(
            training.model, images(), folder=tmp_path, metric="m", evaluate=evaluate, curve_s=0
        )
        for _ in range(2):
            training.epoch()
            run.log(m=1)
        drawn = (random.random(), float(np.random.rand()), float(torch.rand(1)))
        after.append((drawn, training.scales().tolist()))
        run.finish()
    assert after[0] == after[1]
    assert Recording(tmp_path.with_name(f"{tmp_path.name}-2")).cuts


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_evaluating_keeps_to_its_share_of_the_time(tmp_path):
    clock, training, trouble = Clock(), Training(), Trouble()
    with recede.watch(training.model, images(), folder=tmp_path / "a") as run:
        begun = Recording(run.folder).begun
    journal = Journal(tmp_path / "b")
    journal.append(begun.model_copy(update={"metric": ACCURACY}))
    recording = Recording(journal.folder)
    norms = {"body.0": "body.1", "body.3": "body.4"}

    def slow(_model) -> float:
        clock.now += 3.0
        return 0.5

    watched = Watched(training.model, begun.network, norms)
    measuring = Measuring(slow, watched, journal, recording, trouble, clock)
    (journal.folder / "scales").mkdir()
    text = (tmp_path / "a" / "scales" / "000000.safetensors").read_bytes()
    (journal.folder / "scales" / "000000.safetensors").write_bytes(text)
    for epoch in range(1, 21):
        clock.now += 100.0
        journal.append(
            Logged(at=0, epoch=epoch, metrics={}, seconds=0, scales="scales/000000.safetensors")
        )
        recording.advance()
        measuring.some()
    spent = 3.0 * sum(len(cuts) for cuts in recording.cuts.values())
    assert SHARE * clock.now - 3.0 < spent <= SHARE * clock.now + 3.0
    journal.close()


@pytest.mark.parametrize("answer", [float("nan"), float("inf"), "good", None, ZeroDivisionError()])
def test_an_evaluate_that_fails_is_said_once_and_given_up(tmp_path, said, answer):
    asked = []

    def failing(_model):
        asked.append(1)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with recede.watch(
        Training().model, images(), folder=tmp_path, metric="m", evaluate=failing
    ) as run:
        run.log(1, m=1)
    assert len(said()) == 1
    assert "evaluate" in said()[0]
    assert len(asked) == PATIENCE
    found = Recording(tmp_path)
    assert (found.cuts, found.finished is not None) == ({}, True)


def test_evaluate_needs_a_metric(tmp_path, said):
    run = recede.watch(Training().model, images(), folder=tmp_path, evaluate=share_right)
    assert run.folder is None
    assert "without a metric" in said()[0]


@pytest.fixture
def service(live):
    with RecedeClient(live) as client:
        yield client


@pytest.mark.parametrize("metric", [ACCURACY, recede.Metric(name="accuracy", unit="dB")])
def test_the_measured_cuts_are_the_runs_curve(service, tmp_path, metric):
    training = Training()
    with recede.watch(
        training.model, images(), folder=tmp_path, metric=metric, evaluate=share_right
    ) as run:
        run.log(1, accuracy=0.5)
    recording = Recording(tmp_path)
    for _ in range(2):
        delivery = Delivery(service, recording)
        delivery.send()
        run_id = service.recording(recording.begun.key).run_id
    curve = service.curve(run_id)
    assert curve.epoch == 1
    measured = {ratio: pytest.approx(one.value) for ratio, one in recording.cuts[1].items()}
    if metric.n:
        assert {point.ask: point.accuracy.value for point in curve.points} == measured
        first = curve.points[0].accuracy
        assert (first.n, first.n_split) == (16, 16)
        assert first.low < first.value < first.high
        assert service.run(run_id).lossless_ratio == curve.lossless_ratio is not None
        preview = service.preview(run_id, Plan(ratio=0.45))
        assert preview.accuracy.value == measured[0.45]
    else:
        assert {point.ask: point.value for point in curve.values} == measured
        assert (curve.points, curve.lossless_ratio) == ([], None)
        assert service.preview(run_id, Plan(ratio=0.45)).accuracy is None


@pytest.mark.parametrize(
    ("metric", "words"), [(ACCURACY, "lossless ratio of epoch 1"), ("accuracy", "no interval")]
)
def test_the_command_line_prints_them(live, service, tmp_path, metric, words):
    with recede.watch(
        Training().model, images(), folder=tmp_path, metric=metric, evaluate=share_right
    ) as run:
        run.log(1, accuracy=0.5)
    recording = Recording(tmp_path)
    Delivery(service, recording).send()
    run_id = service.recording(recording.begun.key).run_id
    result = CliRunner(env={"RECEDE_URL": live}).invoke(command, ["curve", run_id])
    assert result.exit_code == 0, result.output
    assert words in result.output


def test_cuts_of_other_channels_are_refused(service, tmp_path):
    with recede.watch(
        Training().model, images(), folder=tmp_path, metric=ACCURACY, evaluate=share_right
    ):
        pass
    recording = Recording(tmp_path)
    key = recording.begun.key
    Delivery(service, recording).send()
    wrong = RecordedCutsBody(cuts=[RecordedCut(ratio=0.5, digest="0" * 64, value=1.0)])
    with pytest.raises(ApiError, match="keeps other channels here"):
        service.put_recorded_cuts(key, 0, wrong)
    with pytest.raises(ApiError, match="no snapshot of epoch 7"):
        service.put_recorded_cuts(key, 7, wrong)
