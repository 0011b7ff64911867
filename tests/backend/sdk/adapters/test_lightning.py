"""recede.LightningCallback: Lightning's trainings, recorded and never altered."""

from __future__ import annotations

import logging
import pickle
import runpy
import sys
from importlib import import_module

import pytest
import torch
from torch import nn

import recede
from recede.sdk.recording.reading import Recording
from tests.backend.sdk.watched import Small, images
from tests.house.files import ROOT

# What Lightning itself warns of: our Python's torch, and small loaders.
pytestmark = [
    pytest.mark.filterwarnings(r"ignore:`isinstance\(treespec, LeafSpec\)` is deprecated"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
]
PACKAGES = ("lightning.pytorch", "pytorch_lightning")


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.WARNING, "recede")
    return lambda: [record.message for record in caplog.records if record.name == "recede"]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "mine"


def module(package: str = PACKAGES[0], fails_in: int | None = None, **more) -> nn.Module:
    """A LightningModule whose network is its only part with weights."""

    class Module(import_module(package).LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = Small()
            self.validated = 0.0

        def training_step(self, batch, _):
            if self.current_epoch == fails_in:
                raise RuntimeError("the loss is nan")
            x_NCHW, labels_N = batch
            loss = nn.functional.cross_entropy(self.network(x_NCHW), labels_N)
            self.log("train_loss", loss, on_step=True, on_epoch=True)
            return loss

        def on_train_epoch_end(self):
            self.log("late", float(self.current_epoch + 1))

        def validation_step(self, batch, _):
            self.validated += 1
            self.log("val_accuracy", self.validated / 100)

        def configure_optimizers(self):
            optimiser = torch.optim.SGD(self.parameters(), 0.1)
            return [optimiser], [torch.optim.lr_scheduler.StepLR(optimiser, 1, 0.5)]

    torch.manual_seed(0)
    return Module(**more)


def loader(**more):
    data = torch.utils.data.TensorDataset(images(), torch.arange(16) % 3)
    return torch.utils.data.DataLoader(data, 8, **more)


def fit(model, *callbacks, package: str = PACKAGES[0], ckpt_path=None, **more):
    """Train on shuffled made images, silently; the trainer."""
    options = {"max_epochs": 3, "enable_checkpointing": False, "log_every_n_steps": 1} | more
    trainer = import_module(package).Trainer(
        accelerator="cpu",
        callbacks=list(callbacks),
        logger=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        **options,
    )
    torch.manual_seed(1)
    trainer.fit(model, loader(shuffle=True), loader(), ckpt_path=ckpt_path)
    return trainer


@pytest.mark.parametrize("package", PACKAGES)
def test_each_epoch_is_recorded_and_the_training_is_the_same_bit_for_bit(package, folder, said):
    alone, watched = module(package), module(package)
    fit(alone, package=package)
    callback = recede.LightningCallback(
        folder=folder,
        metric="val_accuracy",
        evaluate=lambda network: float(network(images() + torch.randn(1)).mean()),
    )
    fit(watched, callback, package=package)
    theirs = alone.state_dict()
    assert all(torch.equal(t, theirs[name]) for name, t in watched.state_dict().items())
    assert said() == []
    found = Recording(folder)
    assert found.begun.name == "Small"
    assert found.begun.epochs == 3
    assert [group.size for group in found.begun.network.groups] == [8, 12]
    assert list(found.epochs) == [0, 1, 2, 3]
    assert found.finished.error is None
    norms = [m for m in watched.modules() if isinstance(m, nn.BatchNorm2d)]
    last = torch.cat([norm.weight.detach() for norm in norms])
    assert torch.equal(torch.from_numpy(found.scales(3)), last)
    assert not torch.equal(torch.from_numpy(found.scales(2)), last)
    assert len(found.cuts[3]) > 5
    metrics = found.epochs[2].metrics
    # Two steps of the sanity check count in the module, but are no epoch's.
    assert metrics["val_accuracy"] == pytest.approx((5 + 6) / 200)
    assert metrics["late"] == 2  # logged after the callbacks' own hook
    assert metrics["lr"] == 0.05
    assert metrics["train_loss_epoch"] == metrics["train_loss"]
    assert "train_loss_step" not in metrics


def test_metrics_of_a_validation_are_those_of_its_epoch_alone(folder):
    fit(module(), recede.LightningCallback(folder=folder), check_val_every_n_epoch=2, max_epochs=4)
    epochs = Recording(folder).epochs
    assert [e for e, line in epochs.items() if "val_accuracy" in line.metrics] == [2, 4]
    assert [e for e, line in epochs.items() if "train_loss" in line.metrics] == [1, 2, 3, 4]


@pytest.mark.filterwarnings("ignore:Checkpoint directory .* is not empty")
def test_a_training_that_raises_is_failed_and_goes_on_from_its_checkpoint(folder, tmp_path, said):
    keep = import_module("lightning.pytorch.callbacks").ModelCheckpoint(tmp_path, "one")
    callback = recede.LightningCallback(folder=folder)
    with pytest.raises(RuntimeError, match="the loss is nan"):
        fit(module(fails_in=2), callback, keep, enable_checkpointing=True)
    found = Recording(folder)
    assert found.finished.error == "RuntimeError: the loss is nan"
    assert list(found.epochs) == [0, 1, 2]
    key = found.begun.key
    # What another process would do: the checkpoint alone knows the folder.
    callback = recede.LightningCallback(folder=tmp_path / "elsewhere")
    checkpoint = tmp_path / "one.ckpt"
    fit(module(), callback, keep, enable_checkpointing=True, ckpt_path=checkpoint)
    found = Recording(folder)
    assert found.begun.key == key
    assert found.finished.error is None
    assert list(found.epochs) == [0, 1, 2, 3]
    assert found.epochs[3].metrics["late"] == 3
    assert not (tmp_path / "elsewhere").exists()
    assert said() == []


def test_a_checkpoint_whose_recording_is_not_here_begins_a_new_one(folder):
    recede.watch(module().network, images(), folder=folder).finish("it raised")
    callback = recede.LightningCallback(folder=folder)
    callback.load_state_dict({"recording": str(folder / "on another machine")})
    fit(module(), callback)
    assert list(Recording(folder).epochs) == [0]
    assert list(Recording(folder.with_name("mine-2")).epochs) == [0, 1, 2, 3]


def test_what_is_no_training_is_not_recorded(folder):
    callback = recede.LightningCallback(folder=folder)
    trainer = fit(module(), callback, fast_dev_run=1)
    trainer.validate(module(), loader(), verbose=False)
    assert not folder.exists()


def test_a_network_that_cannot_be_traced_trains_and_its_metrics_are_recorded(folder, said):
    fit(module(), recede.LightningCallback(images().flatten(1), folder=folder))
    found = Recording(folder)
    assert list(found.epochs) == [0, 1, 2, 3]
    assert found.begun.network is None
    assert found.epochs[3].metrics["late"] == 3
    assert len(said()) == 1
    assert "a tensor (N, C, H, W) with at least one image is needed" in said()[0]


def test_an_attribute_that_is_not_there_costs_the_recording_alone(folder, said):
    trained, alone = module(), module()
    fit(trained, recede.LightningCallback(network="backbone", folder=folder))
    fit(alone)
    assert torch.equal(trained.network.head.weight, alone.network.head.weight)
    assert "backbone" in said()[0]
    assert len(said()) == 1


def test_an_option_that_watch_does_not_have_is_refused_before_the_training():
    with pytest.raises(TypeError, match="no option fodler; it takes folder, name"):
        recede.LightningCallback(fodler="x")


def test_strategies_that_spawn_processes_can_send_it_to_them(folder):
    there = pickle.loads(pickle.dumps(recede.LightningCallback(images(), folder=folder)))
    fit(module(), there)
    assert list(Recording(folder).epochs) == [0, 1, 2, 3]


def test_images_are_found_in_batches_of_any_form():
    from recede.sdk.adapters.lightning import _images

    for batch in (images(), [images(), 1], {"id": "a", "x": (images(),)}, (1, {"x": images()})):
        assert torch.equal(_images(batch), images()[:2])
    assert _images({"text": "a", "x": torch.zeros(2, 3)}) is None


def test_without_lightning_it_says_what_to_install(monkeypatch):
    from recede.sdk.adapters import lightning

    monkeypatch.setattr(lightning, "PACKAGES", {"not_installed_here": "not_installed_here"})
    with pytest.raises(ImportError, match=r"LightningCallback needs .*recede\[lightning\]"):
        lightning._callbacks()


def test_the_example_is_recorded_measured_and_cut(tmp_path, monkeypatch, capsys, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["lightning_digits.py", "--epochs", "2"])
    runpy.run_path(str(ROOT / "examples/lightning_digits.py"), run_name="__main__")
    found = Recording(tmp_path / "recordings" / "digits-lightning")
    assert list(found.epochs) == [0, 1, 2]
    assert found.finished is not None
    dense = found.cuts[found.best][0.0].value
    assert dense == pytest.approx(found.epochs[found.best].metrics["val_accuracy"])
    small = torch.load(tmp_path / "small.pt", weights_only=True)
    assert small["3.weight"].shape[0] < 32
    assert "50 % of the neurons cut" in capsys.readouterr().out
    assert said() == []
