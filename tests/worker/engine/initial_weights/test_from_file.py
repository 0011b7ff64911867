"""Starting from a file: the same network, and every bad file refused before training."""

from __future__ import annotations

import argparse
import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torchvision import models

from recede.contract.errors import RecedeError
from recede.contract.network.weight_files import UnusableWeights
from recede.contract.spec.run import Init, RunSpec
from recede.store.experiments import history
from recede_worker.core.norms.adopt import WrongWeights, adopt
from recede_worker.engine.initial_weights.state_dict_file import read_weight_file
from recede_worker.engine.initial_weights.take_over import FOLDER, RECORD
from recede_worker.engine.inputs.load import (
    build_network,
    load_data,
    network_for,
)
from recede_worker.engine.training.epoch.step import TrainingDiverged
from tests.worker.engine.claimed_job import SMALL, snapshots
from tests.worker.engine.in_process import (
    ORDINARY,
    InProcessWorker,
    cancel,
    fine,
    manifest,
    notices,
    parent,
    refused,
    started,
    weights_of,
    worker,
)

__all__ = ["fine", "parent", "worker"]


def test_a_run_goes_on_exactly_where_its_downloaded_file_was(worker, parent):
    target = worker.roots[0] / "download.safetensors"
    shutil.copy(weights_of(parent), target)
    init = Init(file="download.safetensors")
    job = worker.submit(SMALL.model_copy(update={"init": init}))
    network, data = started(job)
    cancel(job)
    before = build_network(job.spec(), data).architecture.build(network.config)
    before.load_state_dict(load_file(target))
    x = data.normalise.apply(data.validation.head(144))
    with torch.no_grad():
        difference = (network.model(x) - before.eval()(x)).abs().max()
    assert difference <= 1e-5
    assert network.start["clamped"] == 0
    assert network.start["file"] == "download.safetensors"
    assert not notices(job)
    theirs = snapshots(parent)[1][manifest(parent)["epoch"]]
    ours = torch.cat([network.model.get_submodule(n).weight for n in network.norms.values()])
    assert np.abs(ours.detach().numpy() - theirs).max() < 1e-3


def test_a_run_from_a_file_has_its_hash_and_its_accuracy_at_epoch_0_in_the_manifest(
    worker, parent
):
    target = worker.roots[0] / "again.safetensors"
    shutil.copy(weights_of(parent), target)
    init = Init(file=str(target))
    job = worker.train(SMALL.model_copy(update={"init": init, "epochs": 1}))
    start, theirs = manifest(job)["start"], manifest(parent)
    assert start["sha256"] == theirs["files"]["model.safetensors"]["sha256"]
    assert start["before_training"] == theirs["accuracy"]["validation"]


def state_dict(worker: InProcessWorker, spec: RunSpec = ORDINARY) -> dict[str, torch.Tensor]:
    data = load_data(spec, worker.settings, lambda *_: None)
    return dict(build_network(spec, data).model.state_dict())


WRAPPED = {
    "bare": lambda w: w,
    "state_dict": lambda w: {"epoch": 3, "state_dict": w, "optimizer": {"lr": 0.1}},
    "model": lambda w: {"model": w},
    "parallel": lambda w: {"model": {f"module.{name}": t for name, t in w.items()}},
    "compiled": lambda w: {f"module._orig_mod.{name}": t for name, t in w.items()},
    "half": lambda w: {n: t.half() if t.is_floating_point() else t for n, t in w.items()},
}


@pytest.mark.parametrize("form", WRAPPED)
@pytest.mark.parametrize("ending", ["pt", "pth.tar"])
def test_state_dicts_are_found_in_the_usual_wrappings(worker, form: str, ending: str):
    weights = state_dict(worker)
    name = f"{form}.{ending}"
    torch.save(WRAPPED[form](weights), worker.roots[0] / name)
    job = worker.submit(ORDINARY.model_copy(update={"init": Init(file=name)}))
    network, _ = started(job)
    cancel(job)
    own = network.model.state_dict()
    assert all(torch.allclose(own[key].float(), weights[key].float(), atol=1e-3) for key in own)


def test_weights_whose_loss_is_not_finite_end_the_run_before_its_first_step(worker):
    weights = state_dict(worker)
    for name in weights:
        if name.endswith("weight"):
            weights[name].fill_(1e38)  # finite, its products are not
    torch.save(weights, worker.roots[0] / "broken.pt")
    job = worker.submit(ORDINARY.model_copy(update={"init": Init(file="broken.pt")}))
    with pytest.raises(TrainingDiverged, match="is nan before any training") as caught:
        job.perform()
    assert "weights that the run starts from" in caught.value.hint
    cancel(job)


class Code:
    """What a checkpoint must not hold: reading it would make a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


def broken(worker: InProcessWorker, name: str) -> None:
    """One bad file of this name below the data root."""
    path, weights = worker.roots[0] / name, state_dict(worker)
    if name == "code.pt":
        torch.save({"model": weights, "config": Code(worker.roots[0] / "harm")}, path)
    elif name == "cut.pt":
        torch.save(weights, path)
        path.write_bytes(path.read_bytes()[:-2000])
    elif name == "cut.safetensors":
        save_file(weights, path)
        path.write_bytes(path.read_bytes()[:-7])
    elif name == "junk.pt":
        path.write_bytes(b"\x80\x02junk")
    elif name == "text.safetensors":
        path.write_text("version https://git-lfs.github.com/spec/v1")
    elif name == "list.pt":
        torch.save([1, 2], path)
    elif name == "keys.pt":
        torch.save({"epoch": 3, "nets": {}}, path)
    elif name == "mixed.pt":
        torch.save({**weights, "epoch": 3}, path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.pt", "There is no file 'none.pt'"),
        ("../recede.db", "is outside the data roots"),
        ("code.pt", "Python objects (posix.mkdir) beside tensors"),
        ("cut.pt", "'cut.pt' is damaged"),
        ("cut.safetensors", "its header says"),
        ("junk.pt", "cannot be read"),
        ("text.safetensors", "not a safetensors"),
        ("list.pt", "no state_dict but a list"),
        ("keys.pt", "'epoch', 'nets'"),
        ("mixed.pt", "not named tensors: 'epoch'"),
    ],
)
def test_every_bad_file_ends_the_run_before_training_in_words(worker, name: str, words: str):
    broken(worker, name)
    job = worker.submit(ORDINARY.model_copy(update={"init": Init(file=name)}))
    error = refused(job, RecedeError)
    assert words in error.message
    assert error.field == "init.file"
    with worker.store.read() as session:
        assert not history.snapshot_epochs(session, job.run_id)


def forms_of_code(folder: Path) -> dict[str, Path]:
    """Files in all the forms that torch and pickle write, each with code in it."""
    code, files = Code(folder / "harm"), {}
    for protocol in (0, 2, 4):
        files[f"pickle {protocol}"] = path = folder / f"raw{protocol}.bin"
        path.write_bytes(pickle.dumps({"weights": code}, protocol=protocol))
    for name, zipped in (("archive", True), ("legacy", False)):
        files[name] = path = folder / f"{name}.ckpt"
        torch.save({"w": torch.zeros(2), "x": code}, path, _use_new_zipfile_serialization=zipped)
    files["network"] = folder / "network.pt"
    torch.save(torch.nn.Linear(2, 2), files["network"])
    return files


@pytest.mark.filterwarnings("ignore:Detected pickle protocol:UserWarning")
def test_a_file_with_code_in_it_is_refused_unread_with_a_way_to_mend_it(tmp_path):
    for path in forms_of_code(tmp_path).values():
        with pytest.raises(UnusableWeights, match="could run code, so it is refused") as error:
            read_weight_file(path)
        assert f"torch.load({path.name!r}, weights_only=False)" in str(error.value.hint)
        assert f"save_file(made['state_dict'], '{path.stem}.safetensors')" in str(error.value.hint)
        assert error.value.field == "init.file"
    assert not (tmp_path / "harm").exists()


def test_what_the_hint_says_makes_a_file_that_can_be_read(tmp_path, monkeypatch):
    weights = {"a": torch.ones(2)}
    torch.save({"state_dict": weights, "args": argparse.Namespace(lr=0.1)}, tmp_path / "own.pt")
    with pytest.raises(UnusableWeights) as error:
        read_weight_file(tmp_path / "own.pt")
    said = str(error.value.hint)
    program = said[said.index("import torch") : said.index(" (made.state_dict()")]
    monkeypatch.chdir(tmp_path)
    exec(program, {})  # the file is our own
    assert torch.equal(read_weight_file(tmp_path / "own.safetensors").weights["a"], weights["a"])


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_a_torchscript_program_is_named_as_what_it_is(tmp_path):
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), str(tmp_path / "program.pt"))
    with pytest.raises(UnusableWeights, match="is a TorchScript program; loading it could run"):
        read_weight_file(tmp_path / "program.pt")


def test_weights_of_another_width_say_which_keys_and_shapes(worker):
    wide = ORDINARY.model_copy(update={"architecture_params": {"width": 0.2}})
    save_file(state_dict(worker, wide), worker.roots[0] / "wide.safetensors")
    job = worker.submit(ORDINARY.model_copy(update={"init": Init(file="wide.safetensors")}))
    said = refused(job, RecedeError).message
    assert "are of another shape (features.0.weight is (13, 1, 3, 3), wanted (6, 1, 3, 3)" in said


def test_a_head_of_other_classes_needs_to_be_asked_for_anew(worker):
    weights = state_dict(worker)
    weights["classifier.weight"] = torch.zeros(1000, weights["classifier.weight"].shape[1])
    weights["classifier.bias"] = torch.zeros(1000)
    save_file(weights, worker.roots[0] / "thousand.safetensors")
    init = Init(file="thousand.safetensors")
    error = refused(worker.submit(ORDINARY.model_copy(update={"init": init})), RecedeError)
    assert error.message == "The head has 1000 outputs, this data set has 10 classes."
    init = Init(file="thousand.safetensors", new_head=True)
    job = worker.submit(ORDINARY.model_copy(update={"init": init}))
    network, _ = started(job)
    cancel(job)
    assert network.model.get_submodule("classifier").weight.shape[0] == 10
    assert network.start["new_head"] is True
    record = json.loads((job.folder / FOLDER / RECORD).read_text())
    assert record["file"] == "thousand.safetensors"


def test_torchvisions_own_weights_fit_its_network_and_only_the_head_is_drawn_anew(worker):
    theirs = models.get_model("resnet18", weights=None, num_classes=1000)
    torch.save(theirs.state_dict(), worker.roots[0] / "resnet18.pth")
    spec = RunSpec(dataset="digits", architecture="resnet18", method="l1")
    kept = {name: t for name, t in theirs.state_dict().items() if not name.startswith("fc.")}
    network = network_for(spec, (3, 32, 32), 10)
    weights = read_weight_file(worker.roots[0] / "resnet18.pth").weights
    with pytest.raises(WrongWeights, match="head has 1000 outputs, this data set has 10 classes"):
        adopt(network.model, weights, head="fc")
    adopt(network.model, weights, head="fc", new_head=True)
    own = network.model.state_dict()
    assert all(torch.equal(own[name], tensor) for name, tensor in kept.items())
    assert set(own) - set(kept) == {"fc.weight", "fc.bias"}


@pytest.mark.parametrize(
    "name", ["googlenet", pytest.param("inception_v3", marks=pytest.mark.thorough)]
)
def test_weights_with_auxiliary_heads_are_taken_as_torchvision_ships_them(worker, name):
    theirs = models.get_model(name, weights=None, num_classes=10, init_weights=False)
    torch.save(theirs.state_dict(), worker.roots[0] / f"{name}.pth")
    weights = read_weight_file(worker.roots[0] / f"{name}.pth").weights
    spec = RunSpec(
        dataset="digits", architecture="torchvision-any", architecture_params={"model": name},
        method="l1",
    )  # fmt: skip
    network = network_for(spec, (3, 96, 96), 10)
    adopted = adopt(network.model, weights, head="fc")
    assert adopted.auxiliary == (("aux1", "aux2") if name == "googlenet" else ("AuxLogits",))
    own = network.model.state_dict()
    assert all(torch.equal(own[entry], weights[entry]) for entry in own)
