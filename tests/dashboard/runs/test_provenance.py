"""On the cards of the Files tab: when each was made, which it is, by which plan."""

from __future__ import annotations

import pytest

from recede.client import Plan
from recede_dashboard.pages.run.checkpoints.tab import files
from recede_dashboard.words.plans import beside, cut_words
from tests.dashboard import samples
from tests.dashboard.layouts import (
    NARROW,
    props,
    text,
    walk,
)


def test_each_card_says_when_it_was_made_which_it_is_and_by_which_plan():
    first = samples.checkpoint(plan={"ratio": 0.6})
    second = first.model_copy(update={"id": "ck2", "created_at": 1_700_000_000.0})
    cards = [n for n in walk(files([first, second], samples.run())) if _test_id(n) == "file-made"]
    assert [text(card) for card in cards] == ["ck2", "ck1"]
    moment = next(n for n in walk(cards[0]) if type(n).__name__ == "Time")
    assert moment.dateTime == "2023-11-14T22:13:20+00:00"
    assert moment.to_plotly_json()["props"]["data-made"] == 1_700_000_000.0
    plan = props(files([first], samples.run()), data_testid="file-asked")
    assert text(plan) == "Plan: 60 % of the neurons removed"


def _test_id(node):
    return node.to_plotly_json()["props"].get("data-testid")


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"ratio": 0.5, "round_to": 8}, "rounded up to multiples of 8"),
        ({"threshold": 0.31}, "importances up to 0.31 removed"),
        ({"ratio": 0.5, "scope": "local"}, "the same ratio in every layer"),
        ({"ratio": 0.5, "locks": ["a", "b"]}, "a and b left uncut"),
        ({"ratio": 0.5, "locks": ["a", "b", "c", "d"]}, "4 layers left uncut"),
        ({"ratio": 0.5, "overrides": {"a": 0.125}}, "a at 12.5 %"),
        ({"ratio": 0.5, "criterion": "taylor"}, "ranked by taylor"),
        ({"ratio": 0.5, "min_channels": 4}, "at least 4 channels per layer"),
        ({"ratio": 0.5, "bias": "fold"}, "constant outputs absorbed"),
    ],
)
def test_a_plan_is_named_as_far_as_it_is_not_the_default(plan, words):
    whole = Plan.model_validate(plan).model_dump(mode="json")
    assert [cut_words(whole), *beside(whole)][-1].replace(NARROW, " ") == words
    assert beside({**whole, "epoch": 3}) == beside(whole)  # the title has the epoch
    plain = Plan(ratio=0.5).model_dump()
    assert (cut_words(plain).replace(NARROW, " "), beside(plain)) == (
        "50 % of the neurons removed",
        [],
    )
