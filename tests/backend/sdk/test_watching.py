"""recede.watch: what it records of somebody's training, and that it never harms it."""

from __future__ import annotations

import logging
import re
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import recede
from recede.contract.errors import Conflict
from recede.sdk.recording.journal import Journal
from recede.sdk.recording.lines import LINES
from recede.sdk.recording.reading import Recording, UnusableRecording
from tests.backend.sdk.watched import Small, Training, images


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "mine"


@pytest.fixture
def said(caplog):
    """What was logged so far, one text a line."""
    caplog.set_level(logging.WARNING, "recede")
    return lambda: [record.message for record in caplog.records if record.name == "recede"]


def test_each_epoch_is_recorded_with_its_scales_metrics_and_weights(folder, said):
    training = Training()
    run = recede.watch(training.model, images(), folder=folder, metric="accuracy", name="Mine")
    scales, weights = [training.scales()], {}
    for epoch in (1, 2, 3):
        loss = training.epoch()
        run.log(epoch, accuracy=torch.tensor(0.1 * epoch), train_loss=loss)
        scales.append(training.scales())
        weights[epoch] = {k: v.clone() for k, v in training.model.state_dict().items()}
    run.finish()
    found = Recording(folder)
    assert (found.begun.name, found.begun.metric.name) == ("Mine", "accuracy")
    assert [group.size for group in found.begun.network.groups] == [8, 12]
    assert list(found.epochs) == [0, 1, 2, 3]
    for epoch in found.epochs:
        np.testing.assert_array_equal(found.scales(epoch), scales[epoch].numpy())
    assert found.epochs[0].metrics == {}
    assert found.epochs[3].metrics["accuracy"] == pytest.approx(0.3)
    assert found.epochs[3].metrics["train_loss"] == loss
    kept = load_file(folder / found.weights[3])
    assert all(torch.equal(kept[name], weights[3][name]) for name in weights[3])
    assert found.finished is not None
    assert not found.is_written
    assert said() == []


def test_the_training_is_the_same_bit_for_bit(folder):
    alone, watched = Training(), None
    for _ in range(3):
        alone.epoch()
    watched = Training()
    run = recede.watch(watched.model, images(), folder=folder)
    for _ in range(3):
        watched.epoch()
        run.log()
    assert watched.model.training
    theirs = alone.model.state_dict()
    assert all(torch.equal(t, theirs[name]) for name, t in watched.model.state_dict().items())


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(nn.DataParallel, id="parallel"),
        # Importing torch's compiler takes seconds.
        pytest.param(torch.compile, id="compiled", marks=pytest.mark.thorough),
    ],
)
def test_wrappers_are_seen_through(folder, wrap):
    model = Training().model
    with recede.watch(wrap(model), images(), folder=folder) as run:
        run.log(loss=1)
    found = Recording(folder)
    assert found.begun.architecture == "Small"
    assert load_file(folder / found.weights[1]).keys() == model.state_dict().keys()


def test_only_rank_0_records(folder, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    run = recede.watch(Training().model, images(), folder=folder)
    run.log(loss=1)
    run.finish()
    assert run.folder is None
    assert not folder.exists()


def test_of_a_process_group_rank_0_records_what_ddp_wraps(folder, monkeypatch):
    monkeypatch.setenv("RANK", "3")  # the group knows better
    store = torch.distributed.HashStore()
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        wrapped = nn.parallel.DistributedDataParallel(Small())
        recede.watch(wrapped, images(), folder=folder).finish()
    finally:
        torch.distributed.destroy_process_group()
    assert Recording(folder).begun.architecture == "Small"


KILLED = """
import os, signal, sys
import recede
from tests.backend.sdk.watched import Small, Training, images
training = Training()
run = recede.watch(training.model, images(), folder=sys.argv[1])
for epoch in range(1, 100):
    training.epoch()
    run.log(epoch)
    if epoch == 3:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_training_leaves_what_it_logged_and_can_go_on(folder):
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)
    assert done.returncode == -signal.SIGKILL
    with (folder / LINES).open("ab") as stream:
        stream.write(b'{"kind":"logged","epoch":4,"at":1')
    found = Recording(folder)
    assert list(found.epochs) == [0, 1, 2, 3]
    assert found.finished is None
    assert not found.is_written
    training = Training()
    run = recede.watch(training.model, images(), folder=folder, resume=True)
    assert found.is_written
    training.epoch()
    run.log(4)
    found.advance()
    run.finish()
    assert list(found.epochs) == [0, 1, 2, 3, 4]
    assert Recording(folder).begun.key == found.begun.key


def test_a_training_that_raised_can_go_on_and_one_that_was_finished_begins_anew(folder):
    for error, name in (("it raised", "mine"), (None, "mine"), (None, "mine-2")):
        run = recede.watch(Training().model, images(), folder=folder, resume=True)
        assert run.folder.name == name
        run.log()
        run.finish(error)
    assert list(Recording(folder).epochs) == [0, 1, 2]
    assert Recording(folder).finished.error is None


def test_a_new_training_does_not_write_over_another(folder):
    for _ in range(2):
        recede.watch(Training().model, images(), folder=folder).finish()
    assert Recording(folder).begun.key != Recording(folder.with_name("mine-2")).begun.key


def test_another_network_does_not_go_on_with_a_recording(folder, said):
    recede.watch(Training().model, images(), folder=folder)._journal.close()
    other = nn.Sequential(nn.Conv2d(1, 9, 3), nn.BatchNorm2d(9), nn.Flatten(), nn.Linear(324, 3))
    run = recede.watch(other, images(), folder=folder, resume=True)
    assert run.folder is None
    assert "another network" in said()[0]


@contextmanager
def full_disk(n_bytes: int):
    """No file can grow beyond this size: what does is written in part."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_said_once_and_leaves_no_half_line(folder, said):
    training = Training()
    run = recede.watch(training.model, images(), folder=folder)
    lines = (folder / LINES).read_bytes()
    with full_disk(len(lines) + 20):
        for epoch in (1, 2):
            training.epoch()
            run.log(epoch, loss=0.5)
    assert (folder / LINES).read_bytes() == lines
    assert len(said()) == 1
    assert "recording an epoch failed" in said()[0]
    run.log(3, loss=0.25)
    run.finish()
    found = Recording(folder)
    assert list(found.epochs) == [0, 3]
    assert not list(folder.rglob("*.tmp"))


def test_a_network_that_cannot_be_pruned_has_its_metrics_recorded(folder, said):
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    run = recede.watch(model, images(), folder=folder)
    run.log(1, loss=0.5)
    run.finish()
    found = Recording(folder)
    assert found.begun.network is None
    assert "no BatchNorm2d" in found.begun.why_no_network
    assert found.epochs[1].metrics == {"loss": 0.5}
    assert found.scales(1) is None
    assert len(said()) == 1


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), "good", None, torch.zeros(3)])
def test_metrics_that_are_no_finite_numbers_are_left_out_and_named_once(folder, said, wrong):
    run = recede.watch(Training().model, images(), folder=folder)
    for epoch in (1, 2):
        run.log(epoch, loss=wrong, accuracy=0.5)
    run.finish()
    assert Recording(folder).epochs[2].metrics == {"accuracy": 0.5}
    assert len(said()) == 1
    assert "'loss'" in said()[0]


def test_metrics_of_names_that_no_service_takes_are_left_out_and_named_once(folder, said):
    run = recede.watch(Training().model, images(), folder=folder)
    for epoch in (1, 2):
        run.log(epoch, **{"x" * 61: 0.1, "x" * 60: 0.2, "": 0.3})
    run.finish()
    assert Recording(folder).epochs[2].metrics == {"x" * 60: 0.2}
    assert len(said()) == 2
    assert "61 characters" in said()[0]


def test_epochs_counted_from_0_are_recorded_from_1(folder, said):
    training = Training()
    run = recede.watch(training.model, images(), folder=folder)
    for epoch in range(3):
        training.epoch()
        run.log(epoch, loss=float(epoch))
    run.finish()
    found = Recording(folder)
    assert {epoch: line.metrics for epoch, line in found.epochs.items()} == {
        0: {}, 1: {"loss": 0}, 2: {"loss": 1}, 3: {"loss": 2},
    }  # fmt: skip
    assert len(said()) == 1


def test_the_network_before_training_can_have_metrics(folder, said):
    run = recede.watch(Training().model, images(), folder=folder)
    run.log(0, loss=2)
    run.log(1, loss=1)
    run.finish()
    found = Recording(folder)
    assert [line.metrics for line in found.epochs.values()] == [{"loss": 2}, {"loss": 1}]
    assert found.scales(0) is not None
    assert said() == []


@pytest.mark.parametrize("epoch", [-1, "3", 2.5, True, 10**6, 1])
def test_an_epoch_that_cannot_be_used_is_refused_in_words(folder, said, epoch):
    run = recede.watch(Training().model, images(), folder=folder)
    run.log(1, loss=1)
    run.log(epoch, loss=2)
    run.finish()
    assert list(Recording(folder).epochs) == [0, 1]
    assert len(said()) == 1


def test_weights_of_first_best_last_and_spread_epochs_fit_the_budget(folder):
    training = Training()
    run = recede.watch(
        training.model, images(), folder=folder, weights_mb=0, metric=recede.Metric(
            name="loss", higher_is_better=False
        ),
    )  # fmt: skip
    for epoch in range(1, 8):
        run.log(epoch, loss=abs(epoch - 3))
    run.finish()
    found = Recording(folder)
    assert sorted(found.weights) == [0, 3, 7]
    assert {path.name for path in (folder / "weights").iterdir()} == {
        f"{epoch:06d}.safetensors" for epoch in (0, 3, 7)
    }


def test_a_failed_training_is_recorded_as_failed(folder):
    run = recede.watch(Training().model, images(), folder=folder)
    with pytest.raises(ZeroDivisionError), run:
        raise ZeroDivisionError("lr was 0")
    assert Recording(folder).finished.error == "ZeroDivisionError: lr was 0"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"metric": 5}, "metric"),
        ({"metric": "x" * 61}, "metric"),
        ({"folder": "/dev/null/mine"}, "Not a directory"),
        ({"weights_mb": "many"}, "weights_mb was 'many'"),
        ({"epochs": 0}, "epochs was 0"),
    ],
)
def test_options_that_cannot_be_used_are_said_and_the_training_goes_on(
    folder, said, options, words
):
    run = recede.watch(Training().model, images(), **({"folder": folder} | options))
    run.log(1, loss=1)
    run.finish()
    assert words in said()[0]
    assert len(said()) == 1


def test_one_process_records_into_a_folder(folder):
    journal = Journal(folder)
    with pytest.raises(Conflict, match="Another process"):
        Journal(folder)
    journal.close()
    Journal(folder).close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "has not begun"),
        (b'{"kind":"begun"', "has not begun"),
        (b"nonsense\n", "Line 1"),
        (b'{"kind":"begun","format":99,"recede":"9.9"}\n', "format 99.*up to 1.*Recede 9.9"),
    ],
)
def test_a_recording_that_cannot_be_read_says_why(tmp_path, text, words):
    (tmp_path / LINES).write_bytes(text)
    with pytest.raises(UnusableRecording) as raised:
        Recording(tmp_path)
    assert re.search(words, f"{raised.value.message} {raised.value.hint}")


def test_lines_of_a_kind_that_a_newer_version_added_are_passed_over(folder):
    recede.watch(Training().model, images(), folder=folder).finish()
    with (folder / LINES).open("ab") as stream:
        stream.write(b'{"kind":"hologram","at":1}\n')
    assert list(Recording(folder).epochs) == [0]


class Segmenter(Small):
    """Gives maps and more, as torchvision's segmentation networks do."""

    def __init__(self, answer) -> None:
        super().__init__()
        self.answer = answer
        self.mapping = nn.Conv2d(12, 3, 1)

    def forward(self, x_NCHW):
        return self.answer(self.mapping(self.body(x_NCHW)))


ANSWERS = {
    "maps": lambda maps: maps,
    "dict": lambda maps: {"out": maps, "scale": 1.0},
    "nested": lambda maps: (maps, [maps[:, :1].mean((2, 3))], None),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_networks_that_give_more_than_scores_are_recorded_and_measured(folder, said, answer):
    model = Segmenter(answer)
    kinds = []

    def mean(one) -> float:
        kinds.append(type(one(images())))
        return 0.5

    with recede.watch(model, images(), folder=folder, metric="iou", evaluate=mean) as run:
        run.log(1, iou=0.5)
    found = Recording(folder)
    assert [group.name for group in found.begun.network.groups] == ["body.0", "body.3"]
    assert found.scales(1).size == 20
    assert set(kinds) == {type(model(images()))}
    assert found.cuts[1]
    assert said() == []


def test_a_network_that_gives_no_row_for_each_image_says_so(folder, said):
    run = recede.watch(
        Segmenter(lambda maps: [{"boxes": maps[0, 0]}] * 2), images(), folder=folder
    )
    run.log(1, map=0.25)
    run.finish()
    assert Recording(folder).epochs[1].metrics == {"map": 0.25}
    assert "a row for each image" in said()[0]
    assert len(said()) == 1
