"""Recipes of a fine-tuning: what they set, and that what they make can be trained."""

from __future__ import annotations

import pytest

from recede.contract.errors import UnknownName
from recede.contract.spec.recipes import RECIPES, recipe
from recede.contract.spec.run import RunSpec

PARENT = RunSpec(
    dataset="digits",
    architecture="vgg11",
    method="rni",
    epochs=40,
    lr=0.05,
    batch_size=96,
    schedule="cosine",
    warmup_epochs=5,
)


def test_the_published_recipe_is_the_published_one():
    fields = recipe("published").fields(PARENT)
    assert fields == {
        "epochs": 160,
        "lr": 0.1,
        "batch_size": 64,
        "schedule": "step",
        "warmup_epochs": 0,
    }


def test_the_short_recipe_follows_the_parent():
    fields = recipe("short").fields(PARENT)
    assert (fields["epochs"], fields["lr"], fields["batch_size"]) == (8, 0.005, 96)
    one = recipe("short").fields(PARENT.model_copy(update={"epochs": 1}))
    assert one["epochs"] == 1


@pytest.mark.parametrize("name", [one.name for one in RECIPES])
@pytest.mark.parametrize("processes", [1, 3])
def test_what_a_recipe_makes_is_a_spec(name, processes):
    parent = PARENT.model_copy(update={"processes": processes})
    spec = RunSpec.model_validate(parent.model_dump() | recipe(name).fields(parent))
    assert spec.batch_size % processes == 0
    assert spec.warmup_epochs < spec.epochs


def test_a_recipe_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(UnknownName, match="short") as refusal:
        recipe("shrt")
    assert refusal.value.field == "recipe"
    assert "'short'" in (refusal.value.hint or "")
