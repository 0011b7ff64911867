"""`recede submit` from a file or another run."""

from __future__ import annotations

import pytest

from tests.backend.catalog import CATALOG
from tests.backend.cli.test_commands import (
    SUBMIT,
    newest,
    run,
)
from tests.backend.store.samples import add_checkpoint, add_epochs

__all__ = ["run"]


@pytest.fixture
def parent(run, store, settings) -> str:
    """A run with weights that differs from the defaults."""
    made = run(*SUBMIT, "--width", "0.25", "--seed", "3", "--shift", "2", "--batch-size", "32")
    assert made.exit_code == 0, made.output
    run_id = newest(store).id
    add_epochs(store, run_id, 1)
    add_checkpoint(store, settings.artifacts, run_id, 1)
    return run_id


def test_a_cut_of_another_run_is_fine_tuned_with_its_settings_and_without_penalty(
    run, store, parent
):
    result = run("submit", "--from", parent, "--cut", "0.5", "--epochs", "4")
    assert result.exit_code == 0, result.output
    spec = newest(store).spec
    assert spec["init"]["run"] == parent
    assert spec["init"]["plan"]["ratio"] == 0.5
    assert (spec["seed"], spec["batch_size"], spec["epochs"]) == (3, 32, 4)
    assert spec["architecture_params"] == {"width": 0.25}
    assert spec["method_params"] == {"lam": 0.0, "shift": 2.0}
    assert "0.0 for fine-tuning" in result.stdout


def test_a_cut_network_is_taught_by_the_one_before(run, store, parent):
    cut = ("submit", "--from", parent, "--cut", "0.5")
    assert run(*cut, "--distill").exit_code == 0
    assert newest(store).spec["distill"] == {"weight": 0.9, "temperature": 4.0}
    assert run(*cut, "--distill-weight", "0.5", "--distill-temperature", "2").exit_code == 0
    assert newest(store).spec["distill"] == {"weight": 0.5, "temperature": 2.0}
    refused = run(*cut, "--distill-weight", "1.5")
    assert refused.exit_code != 0
    assert "distill.weight" in refused.stderr


def test_without_a_cut_the_whole_network_goes_on_with_a_penalty_that_fits(run, store, parent):
    assert run("submit", "--from", parent).exit_code == 0
    spec = newest(store).spec
    assert spec["init"]["plan"] is None
    assert spec["method_params"]["lam"] > 0


def test_a_file_is_named_as_it_was_given(run, store):
    assert run(*SUBMIT, "--weights", "mine/w.safetensors", "--new-head").exit_code == 0
    init = newest(store).spec["init"]
    assert (init["file"], init["new_head"]) == ("mine/w.safetensors", True)


IMPORT = ("import", "mine/w.pt", "--dataset", "digits", "--architecture", "tiny")


def test_imported_weights_are_measured_as_they_are(run, store):
    split = ("--seed", "3", "--val-fraction", "0.3")
    made = run(*IMPORT, "--width", "0.25", *split, "--name", "Mine")
    assert made.exit_code == 0, made.output
    spec = newest(store).spec
    assert (spec["epochs"], spec["name"]) == (0, "Mine")
    assert (spec["seed"], spec["val_fraction"]) == (3, 0.3)
    assert spec["architecture_params"] == {"width": 0.25}
    named = {name: value for name, value in spec["init"].items() if value}
    assert named == {"file": "mine/w.pt"}
    assert CATALOG.method(spec["method"]).scale == "plain"
    assert "Nothing is trained: the weights are measured once" in made.stdout


def test_an_import_says_how_pixels_are_normalised_and_is_told_what_it_left_open(run, store):
    assert "published networks for photographs want imagenet1k" in run(*IMPORT).stdout
    assert run(*IMPORT, "--normalize", "0.3/0.25").exit_code == 0
    assert newest(store).spec["normalize"] == {"mean": [0.3], "std": [0.25]}
    refused = run(*IMPORT, "--normalize", "imagenett")
    assert refused.exit_code == 2
    assert "'imagenett'" in refused.stderr
    assert "3 means" in " ".join(run(*IMPORT, "--normalize", "imagenet1k").stderr.split())


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("cat, dog,fish", ["cat", "dog", "fish"]),
        ('["cat, small", "dog"]', ["cat, small", "dog"]),
        ("names/mine.txt", "names/mine.txt"),
        ("imagenet1k", "imagenet1k"),
    ],
)
def test_the_outputs_of_imported_weights_are_named(run, store, text, given):
    assert run(*IMPORT, "--classes", text).exit_code == 0
    assert newest(store).spec["init"]["classes"] == given


PUBLISHED = ("import", "tiny", "--pretrained", "V1", "--dataset", "digits")


def test_published_weights_are_imported_as_they_were_trained_and_said_what_they_are(run, store):
    made = run(*PUBLISHED)
    assert made.exit_code == 0, made.output
    spec = newest(store).spec
    assert (spec["architecture"], spec["init"]["pretrained"], spec["epochs"]) == ("tiny", "V1", 0)
    assert spec["normalize"] == {"mean": [0.5], "std": [0.25]}
    said = " ".join(made.stdout.split())
    assert "init.pretrained: 12 MB, downloaded by the worker unless it has them; licence: mit" in (
        said
    )
    assert "normalize: as these weights were trained" in said
    assert run(*PUBLISHED, "--normalize", "images").exit_code == 0
    assert newest(store).spec["normalize"] == "images"


def test_a_file_with_the_name_of_published_weights_is_fed_as_they_were_trained(run, store):
    made = run("import", "mine/tiny-12345678.pth", *IMPORT[2:])
    assert made.exit_code == 0, made.output
    assert newest(store).spec["normalize"] == {"mean": [0.5], "std": [0.25]}
    assert newest(store).spec["init"]["pretrained"] is None
    said = " ".join(made.stdout.split())
    assert "init.file: by their name the published ones V1; licence: mit; 100 classes" in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([*PUBLISHED[:3], "V3", *PUBLISHED[4:]], "known: V1, V2"),
        ([*PUBLISHED, "--architecture", "large"], "'tiny' and --architecture large"),
        (["import", "w.pt", *PUBLISHED[2:]], "'w.pt'"),
        (["submit", "--demo", "--pretrained", "V1", "--weights", "a.pt"], "were given"),
    ],
)
def test_published_weights_that_there_are_not_are_refused(run, store, options, words):
    result = run(*options)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())


def test_the_method_of_an_import_can_be_chosen_and_nothing_is_queued_by_a_dry_run(run, store):
    made = run(*IMPORT, "--method", "rni", "--dry-run")
    assert made.exit_code == 0, made.output
    assert "0 optimiser steps; nothing was queued." in made.stdout
    assert "rni" in made.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["import", "w.pt", "--dataset", "digits"], "--architecture is missing"),
        (["import", "w.pt", "--architecture", "vgg11"], "--dataset is missing"),
        ([*IMPORT, "--method", "rnj"], "rnj"),
        ([*IMPORT, "--depth", "3"], "depth"),
        (["import"], "Missing argument"),
    ],
)
def test_an_import_that_says_too_little_or_something_wrong_queues_nothing(
    run, store, options, words
):
    result = run(*options)
    assert result.exit_code != 0
    assert words in result.stderr


@pytest.mark.parametrize(
    "options", [["--dataset", "digits"], [*IMPORT[2:], "--width"], [*IMPORT[2:], "stray"]]
)
def test_a_mistake_in_an_import_names_the_help_of_that_command(run, options):
    said = " ".join(run("import", "w.pt", *options).stderr.split())
    assert "recede import --help" in said
    assert "--demo" not in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--weights", "a.pt", "--from", "b"], "were given"),
        (["--cut", "0.5"], "without --from"),
        (["--cut", "nan", "--from", "b"], "finite"),
        (["--new-head"], "all layers are new"),
        (["--classes", "a,b"], "--classes was given without --weights"),
        (["--weights", "a.pt", "--classes", "a,b", "--new-head"], "leave one out"),
        (["--distill"], "--distill was given without --cut"),
        (["--from", "b", "--distill-temperature", "2"], "--distill-temperature was given without"),
        (["--demo", "--from", "b"], "both given"),
        (["--from", "nothere2"], "nothere2"),
    ],
)
def test_options_that_contradict_each_other_queue_nothing(run, store, options, words):
    result = run(*SUBMIT, *options)
    assert result.exit_code != 0
    assert words in " ".join(result.stderr.split())
    with pytest.raises(IndexError):
        newest(store)
