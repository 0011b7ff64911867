"""A sweep in the form: values and seeds read, counted, refused at their fields, sent as one."""

from __future__ import annotations

import pytest

from recede_dashboard.pages.new_run.form import initial_advice, initial_values
from recede_dashboard.pages.new_run.sections.notes import (
    button,
    note,
    runs,
)
from recede_dashboard.pages.new_run.values import sweep
from recede_dashboard.pages.new_run.values.following import chips_following
from recede_dashboard.pages.new_run.values.spec import SWEEP, review
from tests.dashboard.layouts import text
from tests.dashboard.samples import CATALOG

STRENGTHS = ("axes.method_params.lam", "rni")
SEEDS = (sweep.SEED_AXIS, "")


@pytest.fixture
def values():
    return initial_values(CATALOG) | {SWEEP: True}


def test_a_sweep_starts_with_values_that_can_be_submitted(values):
    seen = review(CATALOG, values)
    assert seen.errors == {}
    assert seen.axes == {"method_params.lam": [0.7, 1.4], "seed": [0, 1, 2]}


def test_its_runs_are_counted_before_it_is_started(values):
    seen = review(CATALOG, values)
    assert runs(seen, values) == "2 × 3 = 6 runs of 90 steps each."
    assert button(seen, values) == "Start 6 runs"


def test_without_the_switch_there_is_one_run(values):
    single = values | {SWEEP: False}
    seen = review(CATALOG, single)
    assert seen.axes is None
    assert (runs(seen, single), button(seen, single)) == ("", "Start run")


def test_a_method_without_a_strength_is_swept_over_seeds_alone(values):
    seen = review(CATALOG, values | {("method", ""): "ucs"})
    assert seen.axes == {"seed": [0, 1, 2]}


@pytest.mark.parametrize(
    ("key", "chips", "words"),
    [
        (STRENGTHS, ["0.1", "-1"], "between 0 and 10"),
        (STRENGTHS, ["0.1", "much"], "must be"),
        (STRENGTHS, [], "at least one value"),
        (STRENGTHS, ["0.1", "0.10"], "twice"),
        (SEEDS, ["0", "1.5"], "whole number"),
        (SEEDS, ["-1"], "from 0 to"),
        (SEEDS, [str(seed) for seed in range(33)], "66 runs"),
    ],
)
def test_a_wrong_value_is_said_at_its_chips(values, key, chips, words):
    seen = review(CATALOG, values | {key: chips})
    assert words in seen.errors[key[0]]
    assert (seen.spec, seen.axes) == (None, None)


def test_a_single_run_is_no_sweep(values):
    seen = review(CATALOG, values | {STRENGTHS: ["0.1"], SEEDS: ["3"]})
    assert "turn the sweep off" in seen.errors[sweep.SEED_AXIS]


def test_chips_nobody_changed_follow_the_number_of_steps(values):
    before = initial_advice(CATALOG, values)
    longer = values | {("epochs", ""): 100}
    advice = review(CATALOG, longer).advice
    assert chips_following(longer, advice, before) == {STRENGTHS: ["0.07", "0.14"]}
    typed = longer | {STRENGTHS: ["0.3"]}
    assert chips_following(typed, advice, before) == {}


def test_the_strength_above_says_that_the_sweep_sets_it(values):
    at = {"path": "method_params.lam", "owner": "rni"}
    assert "sweep" in text(note(CATALOG, at, values, review(CATALOG, values)))
