"""A form that begins with a cut says so: in its title, and above its fields what remains."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from recede.client import (
    ApiError,
    Plan,
    PreviewOut,
)
from recede_dashboard.pages.new_run.filling import fine_tuning
from recede_dashboard.pages.new_run.form import initial_values, run_form
from recede_dashboard.pages.new_run.sections.cut import cut_section, title
from recede_dashboard.pages.new_run.values import start
from tests.dashboard.layouts import text, walk
from tests.dashboard.samples import CATALOG, run

NAMES = {"abcd2345": "first"}


def found(**changes: Any) -> PreviewOut:
    values = {
        "epoch": 9,
        "ratio": 0.5,
        "removed": 600,
        "kept": {"a": 200, "b": 400},
        "held_at_minimum": [],
        "rounded_up": [],
        "digest": "d",
        "cost": {"params": 1234, "macs": 250_000},
        "dense": {"params": 5678, "macs": 2_000_000},
        "file_bytes": None,
        "dense_file_bytes": None,
        "accuracy": None,
    }
    return PreviewOut.model_validate(values | changes)


class Client:
    """Previews a cut as the service would, and records the requests."""

    def __init__(self, answer: PreviewOut | ApiError):
        self.answer = answer
        self.requests: list[tuple[str, Plan]] = []

    async def preview(self, run_id: str, plan: Plan) -> PreviewOut:
        self.requests.append((run_id, plan))
        if isinstance(self.answer, ApiError):
            raise self.answer
        return self.answer


def said(typed: Any, answer: PreviewOut | ApiError) -> str | None:
    section = asyncio.run(cut_section(Client(answer), typed))
    return None if section is None else text(section)


@pytest.fixture
def values():
    return fine_tuning(CATALOG, run(), {"ratio": 0.5, "epoch": 9})


def test_the_title_names_the_network_that_is_cut(values):
    assert title(values, NAMES) == "Fine-tune a cut of first"
    assert title(values, {}) == "Fine-tune a cut of abcd2345"
    assert title(values | {("epochs", ""): "x"}, NAMES) == "Fine-tune a cut of first"
    whole = values | {("init.ratio", ""): ""}
    for other in (whole, values | {("init.kind", ""): start.SEED}, initial_values(CATALOG)):
        assert title(other, NAMES) == "New run"


def test_the_cut_is_shown_with_its_epoch_and_what_remains(values):
    shown = said(values, found())
    assert shown is not None
    assert "Removed 50 % of the neurons Epoch" in shown
    assert "9, best on validation" in shown
    assert "600 of 1,200 neurons, 1,234 of 5,678 parameters, 250.0 k of 2.000 M MACs" in shown


def test_a_plan_that_is_more_than_a_ratio_is_shown_whole(values):
    plan = {
        "threshold": 0.05,
        "epoch": 3,
        "locks": ["a", "b"],
        "overrides": {"c": 0.25},
        "scope": "local",
    }
    given = start.initial("abcd2345", plan)
    typed = values | {(path, ""): value for path, value in given.items()}
    shown = said(typed, found(epoch=3, ratio=0.333))
    assert shown is not None
    words = "33.3 % of the neurons, importances up to 0.05, the same ratio in every layer"
    assert f"{words}, a and b left uncut, c at 25 %" in shown
    assert "Epoch 3 Remaining" in shown


def test_the_exact_plan_is_requested_and_another_typed_ratio_replaces_it(values):
    client = Client(found())
    asyncio.run(cut_section(client, values))
    asyncio.run(cut_section(client, values | {("init.ratio", ""): "40"}))
    assert client.requests == [("abcd2345", Plan(ratio=0.5)), ("abcd2345", Plan(ratio=0.4))]


def test_without_a_cut_nothing_is_requested_and_an_impossible_one_is_not_shown(values):
    client = Client(found())
    assert asyncio.run(cut_section(client, initial_values(CATALOG))) is None
    assert client.requests == []
    assert said(values, ApiError("Gone.", status=409, code="conflict")) is None


def test_no_two_sections_of_the_form_have_one_name(values):
    cut = asyncio.run(cut_section(Client(found()), values))
    form = run_form(CATALOG, values, [run()], cut)
    named = [
        text(one)
        for one in walk(form)
        if type(one).__name__ == "Legend"
        or getattr(one, "className", None) in ("fold-title", "label")
    ]
    assert named[0] == "The cut"
    assert "Recipe" in named  # the choice of one
    assert len(set(named)) == len(named), named
