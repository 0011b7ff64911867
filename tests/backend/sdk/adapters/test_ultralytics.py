"""recede.watch_ultralytics, against the callbacks and attributes that Ultralytics documents."""

from __future__ import annotations

import contextlib
import logging
from collections import defaultdict
from types import SimpleNamespace

import pytest
import torch

import recede
from recede.sdk.recording.reading import Recording
from tests.backend.sdk.watched import Training


class Model:
    """Takes callbacks and trains, calling them in Ultralytics' order."""

    def __init__(self, folder) -> None:
        self.callbacks = defaultdict(list)
        self.folder = folder
        self.trainer = None

    def add_callback(self, event, func) -> None:
        self.callbacks[event].append(func)

    def _run(self, event) -> None:
        for func in self.callbacks[event]:
            func(self.trainer)

    def train(self, epochs=3, *, start=0, fails_in=None, validates=lambda epoch: True, **args):
        training = Training()
        average = torch.optim.swa_utils.AveragedModel(training.model)
        given = {"model": "tiny.yaml", "data": "birds.yaml", "imgsz": 8, "resume": False} | args
        self.trainer = trainer = SimpleNamespace(
            model=training.model,
            ema=SimpleNamespace(ema=average.module),
            args=SimpleNamespace(**given),
            data={"channels": 1},
            epoch=start,
            epochs=epochs,
            save_dir=self.folder,
            metrics=None,
            fitness=None,
            tloss=None,
            lr={"lr/pg0": 0.01, "lr/pg1": 0.02},
            label_loss_items=lambda loss, prefix: {f"{prefix}/box_loss": loss},
        )
        try:
            self._run("on_train_start")
            for trainer.epoch in range(start, epochs):
                if trainer.epoch == fails_in:
                    raise RuntimeError("out of memory")
                trainer.tloss = training.epoch()
                average.update_parameters(training.model)
                self._run("on_train_epoch_end")
                if validates(trainer.epoch):
                    trainer.fitness = 0.1 * (trainer.epoch + 1)
                    trainer.metrics = {"metrics/mAP50(B)": 2 * trainer.fitness}
                self._run("on_fit_epoch_end")
            # The last validation, of the best weights, is told as one epoch more.
            trainer.epoch, trainer.metrics = trainer.epoch + 1, {"metrics/mAP50(B)": 1.0}
            self._run("on_fit_epoch_end")
            trainer.epoch -= 1
            self._run("on_train_end")
        finally:
            self._run("teardown")
        return training


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.WARNING, "recede")
    return lambda: [record.message for record in caplog.records if record.name == "recede"]


def test_each_epoch_of_the_averaged_weights_is_recorded_with_all_metrics(tmp_path, said):
    alone, model = Model(tmp_path).train(), Model(tmp_path)
    recede.watch_ultralytics(model)
    watched = model.train()
    theirs = alone.model.state_dict()
    assert all(torch.equal(t, theirs[name]) for name, t in watched.model.state_dict().items())
    found = Recording(tmp_path / "recede")
    assert (found.begun.name, found.begun.dataset, found.begun.epochs) == ("tiny", "birds", 3)
    assert list(found.epochs) == [0, 1, 2, 3]
    assert found.best == 3
    average = model.trainer.ema.ema.body
    last = torch.cat([average[1].weight, average[4].weight]).detach()
    assert torch.equal(torch.from_numpy(found.scales(3)), last)
    assert not torch.equal(watched.scales(), last)
    metrics = found.epochs[2].metrics
    assert metrics["metrics/mAP50(B)"] == pytest.approx(0.4)
    assert metrics["fitness"] == pytest.approx(0.2)
    assert metrics["lr"] == 0.01
    assert metrics["train/box_loss"] > 0
    assert found.finished.error is None
    assert said() == []


def test_metrics_are_those_of_the_epochs_that_were_validated(tmp_path):
    model = Model(tmp_path)
    recede.watch_ultralytics(model)
    model.train(4, validates=lambda epoch: epoch % 2 == 1)
    epochs = Recording(tmp_path / "recede").epochs
    assert [epoch for epoch, line in epochs.items() if "fitness" in line.metrics] == [2, 4]
    assert [epoch for epoch, line in epochs.items() if "lr" in line.metrics] == [1, 2, 3, 4]


def test_a_training_that_raises_is_failed_and_goes_on_when_it_is_resumed(tmp_path, said):
    model = Model(tmp_path)
    recede.watch_ultralytics(model, folder=tmp_path / "mine")
    with contextlib.suppress(RuntimeError):
        model.train(fails_in=2)
    found = Recording(tmp_path / "mine")
    assert found.finished.error == "RuntimeError: out of memory"
    assert list(found.epochs) == [0, 1, 2]
    model.train(start=2, resume=True)
    found.advance()
    assert list(found.epochs) == [0, 1, 2, 3]
    assert found.finished.error is None
    model.train()
    assert list(Recording(tmp_path / "mine-2").epochs) == [0, 1, 2, 3]
    assert said() == []


def test_cuts_are_measured_by_ones_own_function(tmp_path, said):
    model = Model(tmp_path)
    recede.watch_ultralytics(model, evaluate=lambda network: 0.5, metric="mAP")
    model.train()
    assert Recording(tmp_path / "recede").cuts[3][0.5].value == 0.5
    assert said() == []


def test_a_trainer_that_lacks_what_is_read_trains_on(tmp_path, said):
    model = Model(tmp_path)
    recede.watch_ultralytics(model)
    model.add_callback("on_train_epoch_end", lambda trainer: delattr(trainer, "tloss"))
    model.train()
    assert Recording(tmp_path / "recede").epochs[3].metrics["fitness"] == pytest.approx(0.3)
    assert len(said()) == 1
    assert "reading the losses failed: AttributeError" in said()[0]


def test_an_option_that_watch_does_not_have_is_refused_before_the_training(tmp_path):
    model = Model(tmp_path)
    with pytest.raises(TypeError, match=r"recede.watch_ultralytics has no option epochs"):
        recede.watch_ultralytics(model, epochs=3)
    assert not model.callbacks
