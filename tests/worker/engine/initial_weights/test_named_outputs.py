"""Weights whose outputs have another order, or are more, than the data set's classes."""

from __future__ import annotations

import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from recede.contract.errors import RecedeError
from recede.contract.network.class_names import outputs_of
from recede.contract.spec.run import Init
from recede_worker.networks import ilsvrc
from tests.worker.engine.claimed_job import ClaimedJob
from tests.worker.engine.in_process import (
    ORDINARY,
    InProcessWorker,
    cancel,
    manifest,
    refused,
    started,
    weights_of,
    worker,
)

__all__ = ["worker"]

NAMES = ("7", "seven", "2", "0", "9", "1", "3", "eleven", "4", "8", "5", "6")
"""Digits in another order, and two outputs that no class of the data set has."""
HEAD = ("classifier.weight", "classifier.bias")


@pytest.fixture(scope="module")
def trained(worker: InProcessWorker) -> ClaimedJob:
    return worker.train(ORDINARY.model_copy(update={"epochs": 1}))


@pytest.fixture(scope="module")
def reordered(worker: InProcessWorker, trained: ClaimedJob) -> str:
    """The trained weights with a head of twelve outputs that NAMES describes."""
    weights = load_file(weights_of(trained))
    shutil.copy(weights_of(trained), worker.roots[0] / "same.safetensors")
    for name in HEAD:
        rows = weights[name]
        weights[name] = torch.stack(
            [rows[int(one)] if one.isdecimal() else torch.ones_like(rows[0]) for one in NAMES]
        )
    save_file(weights, worker.roots[0] / "reordered.safetensors")
    return "reordered.safetensors"


def given(file: str, **more: object):
    return ORDINARY.model_copy(update={"epochs": 0, "init": Init(file=file, **more)})


@pytest.mark.parametrize("as_file", [False, True])
def test_named_outputs_make_the_network_that_has_the_data_sets_order(
    worker, trained, reordered, as_file
):
    names: object = NAMES
    if as_file:
        (worker.roots[0] / "names.txt").write_text("\n".join(NAMES))
        names = "names.txt"
    job = worker.train(given(reordered, classes=names))
    ours, theirs = load_file(weights_of(job)), load_file(weights_of(trained))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    start = manifest(job)["start"]["outputs"]
    assert (start["of"], [NAMES[place] for place in start["index"]]) == (12, list("0123456789"))
    was = manifest(trained)["accuracy"]["validation"]
    assert manifest(job)["start"]["before_training"] == was


@pytest.mark.parametrize(
    ("file", "classes", "words"),
    [
        ("reordered", tuple({*NAMES} - {"eleven"}), "has 12 outputs, and 11 names were given"),
        ("reordered", (*NAMES[1:], "7th"), "1 of 10 classes of the data set are not among"),
        ("reordered", (*NAMES[:-2], "6", "6"), "Several outputs have the name of one class: '6'"),
        ("same", "imagenet1k", "10 of 10 classes"),
        ("reordered", "none.txt", "There is no file 'none.txt'"),
    ],
)
def test_names_that_do_not_fit_end_the_run_before_training(
    worker, reordered, file, classes, words
):
    job = worker.submit(given(f"{file}.safetensors", classes=classes))
    error = refused(job, RecedeError)
    assert words in error.message
    assert error.field == "init.classes"


def test_a_larger_head_without_names_says_that_they_can_be_given(worker, reordered):
    error = refused(worker.submit(given(reordered)), RecedeError)
    assert "init.classes" in error.hint


def test_classes_of_imagenet_are_known_by_wordnet_id_and_by_name():
    folders = ["n02102040", "n01440764", "chain saw", "N03888257"]
    places = outputs_of(folders, ilsvrc.wordnet_ids(), ilsvrc.key)
    assert places == [217, 0, 491, 701]
    assert len(set(ilsvrc.wordnet_ids())) == len(ilsvrc.wordnet_ids()) == 1000
    # What names the outputs and what names the folders may differ.
    assert outputs_of(["n01440764", "n02102040"], ["English_springer", "tench"], ilsvrc.key) == [
        1,
        0,
    ]


def test_the_ids_are_those_of_the_library_that_ships_them():
    data = pytest.importorskip("timm.data")
    assert tuple(data.ImageNetInfo().label_names()) == ilsvrc.wordnet_ids()


def test_a_run_that_goes_on_keeps_its_chosen_outputs(worker, reordered):
    job = worker.submit(given(reordered, classes=NAMES))
    first, _ = started(job)
    again, _ = started(job)  # as after a restart: from the run's own folder
    cancel(job)
    for name, tensor in first.model.state_dict().items():
        assert torch.equal(tensor, again.model.state_dict()[name])
