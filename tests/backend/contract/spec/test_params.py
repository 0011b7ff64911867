"""Parameters: a refusal names the field, what was given and what is allowed."""

from __future__ import annotations

import pytest

from recede.contract.errors import InvalidInput, UnknownName
from recede.contract.spec.params import ParamSpec, check_params

LAM = ParamSpec(
    name="lam",
    kind="float",
    default=0.001,
    label="Strength λ",
    help="How hard.",
    minimum=0,
    maximum=10,
    bound_reason="above 10 nothing is learned",
    per_steps=125.0,
)
DEPTH = ParamSpec(name="depth", kind="int", default=3, label="Depth", help="How deep.", minimum=1)
FLIP = ParamSpec(name="flip", kind="bool", default=True, label="Flip", help="Mirror.")
MODE = ParamSpec(
    name="mode", kind="choice", default="fast", label="Mode", help="Way.", choices=("fast", "slow")
)
SPECS = (LAM, DEPTH, FLIP, MODE)


def test_defaults_fill_in_what_is_not_given():
    assert check_params(SPECS, {"depth": 5}, "p") == {
        "lam": 0.001,
        "depth": 5,
        "flip": True,
        "mode": "fast",
    }


def test_numbers_come_back_in_their_declared_type():
    checked = check_params(SPECS, {"lam": 1, "depth": 4.0}, "p")
    assert isinstance(checked["lam"], float)
    assert isinstance(checked["depth"], int)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"lam": 11}, "Strength λ was 11; it must be between 0 and 10 (above 10 nothing"),
        ({"lam": -0.1}, "Strength λ was -0.1; it must be between 0 and 10"),
        ({"lam": float("nan")}, "Strength λ was nan; it must be a finite number"),
        ({"lam": float("inf")}, "Strength λ was inf; it must be a finite number"),
        ({"lam": "high"}, "Strength λ was 'high'; it must be a number"),
        ({"lam": True}, "Strength λ was True; it must be a number"),
        ({"lam": None}, "Strength λ was None; it must be a number"),
        ({"depth": 2.5}, "Depth was 2.5; it must be a whole number"),
        ({"depth": 0}, "Depth was 0; it must be at least 1"),
        ({"flip": 1}, "Flip was 1; it must be true or false"),
        ({"mode": "slwo"}, "Unknown Mode 'slwo'; known: fast, slow"),
    ],
)
def test_a_refusal_names_field_given_and_allowed(given, words):
    with pytest.raises(InvalidInput) as refusal:
        check_params(SPECS, given, "method_params")
    assert words in refusal.value.message
    assert refusal.value.field == f"method_params.{next(iter(given))}"
    assert refusal.value.hint


def test_the_hint_names_what_is_taken_instead():
    for spec, hint in ((LAM, "Leave it out to have it fit the number of steps."), (DEPTH, "3")):
        with pytest.raises(InvalidInput) as refusal:
            spec.check("x", "p")
        assert hint in str(refusal.value.hint)


def test_an_unknown_parameter_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownName) as refusal:
        check_params(SPECS, {"lamb": 1}, "method_params")
    assert refusal.value.field == "method_params.lamb"
    assert refusal.value.hint == "Did you mean 'lam'?"
    assert refusal.value.as_dict()["code"] == "unknown_name"


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({"minimum": 0.05, "maximum": 4}, "between 0.05 and 4"),
        ({"minimum": 1}, "at least 1"),
        ({"maximum": 9}, "at most 9"),
        ({}, "any number"),
    ],
)
def test_bounds_are_said_in_words(bounds, words):
    spec = ParamSpec(name="x", kind="float", default=1.0, label="X", help="", **bounds)
    assert spec.bounds_text() == words


def test_the_recommended_value_times_steps_is_constant_within_the_bounds():
    assert LAM.recommended(125_000) == 0.001
    assert LAM.recommended(1_872) == 0.067
    assert LAM.recommended(1) == 10
    assert LAM.recommended(0) == 10
    assert DEPTH.recommended(50) == DEPTH.default


def test_a_recommendation_for_few_steps_has_a_limit_below_the_bound():
    limited = LAM.model_copy(update={"recommended_max": 0.05})
    assert limited.recommended(125_000) == 0.001
    assert limited.recommended(10) == 0.05
    assert limited.check(10, "lam") == 10


def test_a_parameter_that_belongs_to_the_steps_follows_them_unless_it_is_given():
    assert check_params([LAM], {}, "p", steps=12_500) == {"lam": 0.01}
    assert check_params([LAM], {"lam": 0.5}, "p", steps=12_500) == {"lam": 0.5}
    assert check_params([LAM], {}, "p") == {"lam": LAM.default}
