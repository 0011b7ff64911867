"""Options of `recede submit` that are generated, and those that only the catalog knows."""

from __future__ import annotations

import pytest
from typer.main import get_command

from recede.cli import app
from recede.cli.submit import options
from recede.contract.errors import InvalidInput
from recede.contract.spec.params import ParamSpec
from recede.contract.spec.recipe_fields import RECIPE_FIELDS
from recede.contract.spec.run import RunSpec
from tests.backend.catalog import CATALOG

SUBMIT = get_command(app).commands["submit"]
OPTIONS = {name: one for one in SUBMIT.params for name in one.opts}
ELSEWHERE = {
    *("name", "init", "normalize", "distill"),
    *(
        f"{kind}{part}"
        for kind in ("dataset", "architecture", "method")
        for part in ("", "_params")
    ),
}
"""Fields of a spec that are no plain settings of the training."""


def test_every_plain_field_of_a_spec_is_declared_once():
    names = [field.name for field in RECIPE_FIELDS]
    assert sorted(names) == sorted(RunSpec.model_fields.keys() - ELSEWHERE)


@pytest.mark.parametrize("field", RECIPE_FIELDS, ids=lambda field: field.name)
def test_a_field_is_an_option_with_its_words(field):
    assert OPTIONS[field.option].help == field.help
    assert field.default == RunSpec.model_fields[field.name].default


@pytest.mark.parametrize(
    "field",
    [field for field in RECIPE_FIELDS if field.kind in ("int", "float")],
    ids=lambda field: field.name,
)
def test_the_bounds_of_a_field_are_those_of_the_spec(field):
    base = {"dataset": "d", "architecture": "a", "method": "m"}
    step = 1 if field.kind == "int" else 1e-6
    kind = int if field.kind == "int" else float
    for bound, beyond in ((field.minimum, -step), (field.maximum, step)):
        if bound is None:
            continue
        assert RunSpec(**base, **{field.name: kind(bound)})
        with pytest.raises(ValueError, match=field.name):
            RunSpec(**base, **{field.name: kind(bound + beyond)})


def words() -> str:
    shown = [SUBMIT.help or "", *(one.help or "" for one in SUBMIT.params)]
    return " ".join([*shown, *OPTIONS]).replace(",", " ").replace(".", " ")


def test_no_plugin_and_no_parameter_of_one_is_named():
    entries = (*CATALOG.methods, *CATALOG.architectures, *CATALOG.datasets)
    names = {entry.name for entry in entries} | {p.name for entry in entries for p in entry.params}
    named = names & {word.removeprefix("--") for word in words().split()}
    assert named == set(), f"{named}: a new plug-in must touch its own file alone"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], []),
        (["--lam", "0.05"], [("lam", 0.05)]),
        (["--lam=0.05", "--crop", "pad"], [("lam", 0.05), ("crop", "pad")]),
        (["--shift", "-1"], [("shift", -1)]),
        (["--target-density", "0.1"], [("target_density", 0.1)]),
        (["--noise", "true"], [("noise", True)]),
    ],
)
def test_a_parameter_is_read_from_an_option_of_its_own(words, found):
    assert options.named(words) == found


@pytest.mark.parametrize(
    "words", [["0.05"], ["--lam"], ["--lam", "0.05", "x"], ["--", "x"], ["-x"]]
)
def test_words_that_are_no_option_are_refused(words):
    with pytest.raises(InvalidInput):
        options.named(words)


def test_a_recipe_field_is_a_parameter_declared_as_those_of_plugins_are():
    assert all(isinstance(field, ParamSpec) and field.help for field in RECIPE_FIELDS)
