"""Commands on accuracy over epochs, fine-tunings and their recipes."""

from __future__ import annotations

import json

import pytest

from recede.contract.spec.run import Init, Plan
from recede.store.experiments import runs
from recede.store.results import maps
from tests.backend.api.routes.pruning.test_maps import PLACE, point
from tests.backend.cli.test_commands import (
    SUBMIT,
    newest,
    run,
)
from tests.backend.store.samples import (
    SPEC,
    add_checkpoint,
    add_epochs,
    add_run,
)

__all__ = ["run"]


@pytest.fixture
def mapped(store, finished) -> str:
    with store.write() as session:
        points = [point(2, ratio) for ratio in maps.RATIOS]
        maps.put(session, finished.id, 2, PLACE, points)
    return finished.id


def test_map_prints_a_row_for_each_epoch_and_the_kept_ones(run, mapped):
    result = run("map", mapped)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split()[:3] == ["epoch", "0", "%"]
    assert lines[1].split()[0] == "2"
    assert "weights are kept of epoch 2, 3" in result.stdout
    told = json.loads(run("map", mapped, "--json").stdout)
    assert len(told["points"]) == 16


def test_map_of_a_run_without_one_says_why(run, store):
    fresh, _ = add_run(store)
    result = run("map", fresh)
    assert result.exit_code == 0
    assert "map_budget" in result.stdout


def test_comparison_prints_the_three_networks(run, store, finished):
    init = Init(run=finished.id, plan=Plan(epoch=3, ratio=0.5))
    tuned, _ = add_run(store, SPEC.model_copy(update={"init": init}))
    add_epochs(store, tuned, 1)
    with store.write() as session:
        runs.set_results(session, tuned, test_correct=80, n_test=100)
    result = run("comparison", tuned)
    assert result.exit_code == 0, result.output
    for words in ("dense, not cut", "cut, before fine-tuning", "80 % of 100", finished.id):
        assert words in result.stdout
    assert len(json.loads(run("comparison", tuned, "--json").stdout)["networks"]) == 3


def test_comparison_of_another_run_says_how_to_make_one(run, finished):
    result = run("comparison", finished.id)
    assert result.exit_code == 1
    assert "--cut" in result.stderr


@pytest.fixture
def parent(run, store, settings) -> str:
    """A run of the catalog's network with weights."""
    assert run(*SUBMIT).exit_code == 0
    run_id = newest(store).id
    add_epochs(store, run_id, 3)
    add_checkpoint(store, settings.artifacts, run_id, 3)
    return run_id


@pytest.mark.parametrize(("recipe", "epochs", "lr"), [("short", 2, 0.01), ("published", 160, 0.1)])
def test_a_cut_is_fine_tuned_by_a_recipe(run, store, parent, recipe, epochs, lr):
    result = run("submit", "--from", parent, "--cut", "0.5", "--recipe", recipe)
    assert result.exit_code == 0, result.output
    spec = newest(store).spec
    assert (spec["epochs"], spec["lr"]) == (epochs, lr)
    assert spec["init"]["plan"]["ratio"] == 0.5
    assert spec["method_params"]["lam"] == 0.0


def test_single_options_change_a_recipe(run, store, parent):
    options = ["--from", parent, "--cut", "0.5", "--recipe", "published", "--epochs", "7"]
    assert run("submit", *options).exit_code == 0
    spec = newest(store).spec
    assert (spec["epochs"], spec["lr"]) == (7, 0.1)


def test_a_recipe_needs_a_cut_and_a_name_that_exists(run, parent):
    without = run("submit", "--from", parent, "--recipe", "short")
    assert without.exit_code == 2
    assert "--cut" in without.stderr
    unknown = run("submit", "--from", parent, "--cut", "0.5", "--recipe", "long")
    assert unknown.exit_code == 2
    assert "published" in unknown.stderr


def test_what_a_run_keeps_can_be_chosen(run, store):
    assert run(*SUBMIT, "--map-budget", "0", "--keep-weights-mb", "20").exit_code == 0
    spec = newest(store).spec
    assert (spec["map_budget"], spec["keep_weights_mb"]) == (0.0, 20)
