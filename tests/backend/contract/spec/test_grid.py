"""Run grids: every combination once, in order, with readable names; what is none is refused."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recede.contract.errors import InvalidInput, UnknownName
from recede.contract.spec.grid import (
    MAX_RUNS,
    cells,
    combinations_without_seed,
    group_name,
    has_values,
    label,
    run_name,
    values_of,
)
from recede.contract.spec.run import RunSpec

BASE = RunSpec(dataset="shapes", architecture="net", method="pull")
LAM = "method_params.lam"


def test_the_last_axis_changes_fastest():
    found = cells(BASE, {LAM: [0.01, 0.03], "seed": [0, 1, 2]})
    wanted = [(lam, seed) for lam in (0.01, 0.03) for seed in (0, 1, 2)]
    assert [(c.spec["method_params"]["lam"], c.spec["seed"]) for c in found] == wanted
    assert all(has_values(c.spec, c.values) for c in found)
    assert BASE.method_params == {}


def test_nested_fields_and_names_with_dots_are_set_where_they_are():
    base = BASE.model_copy(update={"dataset_params": {"path": "a"}})
    (first, second) = cells(base, {"dataset_params.path": ["b", "c"]})
    assert (first.spec["dataset_params"], second.spec["dataset_params"]) == (
        {"path": "b"},
        {"path": "c"},
    )
    found = cells(BASE, {"method_params.a.b": [1, 2]})
    assert found[1].spec["method_params"] == {"a.b": 2}
    cuts = cells(BASE, {"init.run": ["abc"], "init.plan.ratio": [0.5, 0.7]})
    assert RunSpec.model_validate(cuts[1].spec).init.plan.ratio == 0.7
    assert RunSpec.model_validate(cuts[0].spec).init.plan.ratio == 0.5


def test_what_is_set_again_in_another_cell_leaves_the_first_alone():
    base = RunSpec.model_validate({**BASE.model_dump(), "init": {"run": "a"}})
    found = cells(base, {"init.run": ["b", "c"]})
    assert [cell.spec["init"]["run"] for cell in found] == ["b", "c"]
    assert base.init.run == "a"


@pytest.mark.parametrize(
    ("axes", "field", "words"),
    [
        ({}, "axes", "no runs"),
        ({"seed": [1]}, "axes", "1 run;"),
        ({"seed": list(range(65))}, "axes", "65 runs"),
        ({"seed": list(range(9)), "lr": [0.1 * n for n in range(1, 9)]}, "axes", "72 runs"),
        ({"seed": []}, "axes.seed", "no values"),
        ({"seed": [1, 2, 1]}, "axes.seed", "twice"),
        ({LAM: [1, 1.0]}, f"axes.{LAM}", "twice"),
        ({"seed": [[1], [2]]}, "axes.seed", "text, numbers or true/false"),
        ({"seed": [None, 2]}, "axes.seed", "null"),
        ({LAM: [{"a": 1}, 2]}, f"axes.{LAM}", "text, numbers"),
        ({"sed": [1, 2]}, "axes.sed", "Unknown axis"),
        ({"name": ["a", "b"]}, "axes.name", "Unknown axis"),
        ({"init": ["a", "b"]}, "axes.init", "Unknown axis"),
        ({"method_params": [1, 2]}, "axes.method_params", "Unknown axis"),
        ({"method_params.": [1, 2]}, "axes.method_params.", "Unknown axis"),
    ],
)
def test_axes_that_make_no_grid_are_refused_at_their_field(axes, field, words):
    with pytest.raises(InvalidInput, match=words) as refusal:
        cells(BASE, axes)
    assert refusal.value.field == field


def test_an_unknown_axis_names_the_nearest_known_one():
    with pytest.raises(UnknownName) as refusal:
        cells(BASE, {"sed": [1, 2]})
    assert refusal.value.hint == "Did you mean 'seed'?"


def test_true_is_not_one():
    assert len(cells(BASE, {"compile": [True, False]})) == 2
    assert len(cells(BASE, {LAM: [True, 1]})) == 2


def test_names_say_what_is_a_runs_own():
    values = {LAM: 0.03, "seed": 2}
    assert label(values) == "λ 0.03, seed 2"
    assert run_name(BASE, values) == "pull · net · shapes · λ 0.03, seed 2"
    assert group_name(BASE, {LAM: [1, 2], "seed": [0]}) == "pull · net · shapes · λ × seed"
    # A title that was made already names these.
    assert run_name(BASE, {"method": "pull", "seed": 1}) == "pull · net · shapes · seed 1"
    mine = BASE.model_copy(update={"name": "mine"})
    assert run_name(mine, {"method": "pull", "seed": 1}) == "mine · method pull, seed 1"


@given(st.text(max_size=120), st.text(max_size=200), st.integers(0, 2**31))
def test_names_fit_and_keep_what_is_their_own(name, path, seed):
    base = BASE.model_construct(**{**BASE.model_dump(), "name": name})
    made = run_name(base, {"dataset_params.path": path, "seed": seed})
    assert 0 < len(made) <= 120
    assert made.endswith(f"seed {seed}")


@given(
    st.lists(st.integers(0, 99), min_size=1, max_size=8, unique=True),
    st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.5]), min_size=1, max_size=4, unique=True),
)
def test_every_combination_is_there_once_and_seeds_join_in_one_row(seeds, rates):
    axes = {"seed": seeds, "lr": rates}
    if len(seeds) * len(rates) < 2:
        return
    found = cells(BASE, axes)
    assert len(found) <= MAX_RUNS
    pairs = [(cell.spec["seed"], cell.spec["lr"]) for cell in found]
    assert pairs == list(itertools.product(seeds, rates))
    rows = combinations_without_seed(axes)
    assert rows == [{"lr": rate} for rate in rates]
    for row in rows:
        assert sum(has_values(cell.spec, row) for cell in found) == len(seeds)
    assert [values_of(cell.spec, axes) for cell in found] == [cell.values for cell in found]


def test_without_other_axes_all_seeds_are_one_row():
    assert combinations_without_seed({"seed": [1, 2]}) == [{}]
    assert has_values(BASE.model_dump(), {})


def test_a_name_may_be_as_long_as_a_specs():
    longest = RunSpec(**{**BASE.model_dump(), "name": "x" * 120})
    assert len(run_name(longest, {"seed": 1})) == 120
