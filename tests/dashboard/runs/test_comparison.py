"""A fine-tuning in one table, the weights of earlier epochs, and the recipes of the form."""

from __future__ import annotations

import pytest

from recede.client import (
    Compared,
    ComparisonOut,
    Init,
    Plan,
)
from recede.contract.schemas import CostOut
from recede.contract.spec.recipes import recipe
from recede_dashboard.pages.new_run.filling import fine_tuning
from recede_dashboard.pages.new_run.form import run_form
from recede_dashboard.pages.new_run.sections.recipe import RECIPE
from recede_dashboard.pages.new_run.values.spec import review
from recede_dashboard.pages.run.checkpoints.tab import files
from recede_dashboard.pages.run.comparison import comparison
from recede_dashboard.pages.run.training import training
from tests.dashboard import samples
from tests.dashboard.layouts import (
    props,
    text,
    walk,
)

PLAN = {"ratio": 0.5, "scope": "global", "epoch": 9}


def accuracy(value: float, split: str = "validation"):
    return samples.accuracy(value, 1000).model_copy(update={"split": split})


def found(**changes) -> ComparisonOut:
    whole, small = CostOut(params=360_000, macs=8_000_000), CostOut(params=90_000, macs=2_000_000)
    networks = [
        Compared(
            network="dense",
            epoch=9,
            validation=accuracy(0.91),
            test=accuracy(0.9, "test"),
            cost=whole,
        ),
        Compared(network="cut", epoch=0, validation=accuracy(0.4), test=None, cost=small),
        Compared(
            network="tuned",
            epoch=2,
            validation=accuracy(0.92),
            test=accuracy(0.895, "test"),
            cost=small,
        ),
    ]
    values = {"parent": "abcd2345", "parent_name": "Demo", "ratio": 0.504, "networks": networks}
    return ComparisonOut(**{**values, **changes})


def test_the_table_has_dense_cut_and_tuned_with_their_differences():
    table = comparison(found())
    assert "50.4 % of the neurons removed" in text(table)
    dense, cut, tuned = (
        props(table, data_testid=f"compared-{n}") for n in ("dense", "cut", "tuned")
    )
    assert "91.0 % n = 1,000 90.0 % n = 1,000 360.0 k 100.0 %" in text(dense)
    assert "40.0 % n = 1,000; −51.0 points –" in text(cut)
    assert "92.0 % n = 1,000; +1.0 points 89.5 % n = 1,000; −0.5 points" in text(tuned)
    assert "90.00 k 25.0 %" in text(tuned)
    assert [link.href for link in walk(table) if type(link).__name__ == "Link"] == [
        "/runs/abcd2345"
    ]


def test_rows_and_columns_are_named_for_screen_readers():
    heads = [cell for cell in walk(comparison(found())) if type(cell).__name__ == "Th"]
    assert [cell.scope for cell in heads] == ["col"] * 5 + ["row"] * 3


def test_what_is_not_known_is_a_dash():
    empty = [
        Compared(network=name, epoch=None, validation=None, test=None, cost=None)
        for name in ("dense", "cut", "tuned")
    ]
    words = text(comparison(found(networks=empty, ratio=None, parent_name=None)))
    assert words.count("–") == 12
    assert "abcd2345" in words


def test_the_table_stands_in_both_tabs_of_a_fine_tuning():
    table = comparison(found())
    spec = samples.SPEC.model_copy(update={"init": Init(run="abcd2345", plan=Plan(ratio=0.5))})
    run = samples.run().model_copy(update={"spec": spec})
    for tab in (training(run, [], compared=table), files([samples.checkpoint()], run, table)):
        assert props(tab, data_testid="comparison") is table
    assert props(training(run, []), id="comparison-slot").children is None


def test_weights_of_earlier_epochs_are_one_line_each():
    epochs = [samples.checkpoint("trained", epoch) for epoch in (2, 4, 9, 10)]
    page = files(epochs, samples.run())  # the best is 9
    cards = [c for c in walk(page) if "data-testid" in c.to_plotly_json()["props"]]
    tests = [c.to_plotly_json()["props"]["data-testid"] for c in cards]
    assert tests.count("checkpoint-trained") == 2
    rows = text(props(page, data_testid="earlier-weights"))
    assert "Weights of 2 earlier epochs" in rows
    assert rows.index("Epoch 4") < rows.index("Epoch 2")


@pytest.mark.parametrize("name", [None, "short", "published"])
def test_the_form_is_filled_by_the_recipe(name):
    run = samples.run()
    values = fine_tuning(samples.CATALOG, run, PLAN, 0.5, name)
    wanted = recipe(name or "short").fields(run.spec)
    assert {field: values[field, ""] for field in wanted} == wanted
    assert values[RECIPE] == (name or "short")
    form = run_form(samples.CATALOG, values, [run])
    control = props(form, id="run-form-recipe")
    assert control.value == (name or "short")
    assert [one["value"] for one in control.data] == ["short", "published"]
    seen = review(samples.CATALOG, values)
    assert seen.errors == {}
    assert seen.spec is not None
    assert seen.spec.method_params["lam"] == 0.0


def test_a_form_that_is_no_fine_tuning_has_no_recipe():
    from recede_dashboard.pages.new_run.form import initial_values

    form = run_form(samples.CATALOG, initial_values(samples.CATALOG), [])
    assert not [c for c in walk(form) if getattr(c, "id", None) == "run-form-recipe"]
