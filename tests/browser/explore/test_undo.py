"""Undo and redo: one stack for all choices of the cut, a drag one step, the address follows."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from recede.contract.schemas import RunOut
from tests.browser.screen import (
    drag_line,
    numbers,
    open_explore,
    value,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def explore(page: Page, run: RunOut) -> Page:
    open_explore(page, run.id, "&epoch=3&r=0.2")
    return page


def says(page: Page, name: str, words: str) -> None:
    """What the button would undo or redo, for the eye and for a screen reader."""
    button = page.get_by_test_id(f"{name}-button")
    expect(button).to_have_attribute("title", re.compile(words))
    expect(button).to_have_attribute("aria-label", re.compile(words))


def test_a_drag_is_one_step_that_is_undone_and_done_again(explore: Page):
    before = numbers(explore)
    expect(explore.get_by_test_id("undo-button")).to_be_disabled()
    length = explore.evaluate("history.length")
    drag_line(explore, 90)
    after = numbers(explore)
    assert after["removed"] != before["removed"]
    says(explore, "undo", "^Undo: threshold ")
    explore.keyboard.press("Control+z")
    assert numbers(explore) == before
    expect(explore.get_by_test_id("undo-button")).to_be_disabled()
    says(explore, "redo", "^Redo: threshold ")
    explore.keyboard.press("Control+Shift+z")
    assert numbers(explore) == after
    assert explore.evaluate("history.length") == length  # back leads away from the page at once
    explore.wait_for_url(re.compile(r"[?&]t="))


def test_every_kind_of_choice_is_taken_back_in_reverse(explore: Page):
    seen = [numbers(explore)]

    def done(words: str) -> None:
        says(explore, "undo", words)
        seen.append(numbers(explore))
        assert seen[-1] != seen[-2]

    explore.get_by_test_id("ratio-input").fill("45")
    explore.get_by_test_id("ratio-input").press("Enter")
    done("ratio 45.0")
    explore.get_by_role("button", name="Lock features.4: keep").click()
    done("lock of features.4")
    explore.locator('.rx-layer-main[data-layer="features.8"]').click()
    explore.get_by_test_id("own-ratio").fill("10")
    explore.get_by_test_id("own-ratio").press("Enter")
    done("features.8 at 10.0")
    explore.get_by_test_id("more-toggle").click()
    explore.get_by_test_id("round-toggle").get_by_role("radio", name="8", exact=True).click()
    done("multiples of 8")
    explore.get_by_test_id("scope-toggle").get_by_role("radio", name="Local").click()
    done("local scope")
    explore.get_by_test_id("target-input").fill("30")
    explore.get_by_test_id("target-input").press("Enter")
    done("MACs ≤ 30")
    for state in reversed(seen[:-1]):
        explore.get_by_test_id("undo-button").click()
        assert numbers(explore) == state
    expect(explore.get_by_test_id("undo-button")).to_be_disabled()
    for state in seen[1:]:
        explore.keyboard.press("Control+y")
        assert numbers(explore) == state
    expect(explore.get_by_test_id("redo-button")).to_be_disabled()


def test_a_new_choice_ends_what_could_be_done_again_and_looking_is_no_choice(explore: Page):
    explore.get_by_test_id("ratio-input").fill("60")
    explore.get_by_test_id("ratio-input").press("Enter")
    explore.get_by_test_id("axis-toggle").get_by_role("radio", name="linear").click()
    explore.locator('.rx-layer-main[data-layer="features.8"]').click()
    says(explore, "undo", "ratio 60.0")
    explore.get_by_test_id("undo-button").click()
    assert value(explore.get_by_test_id("ratio-slider")) == 0.2
    expect(explore.get_by_test_id("redo-button")).to_be_enabled()
    explore.get_by_test_id("ratio-slider").focus()
    explore.keyboard.press("ArrowRight")
    expect(explore.get_by_test_id("redo-button")).to_be_disabled()


def test_text_that_is_typed_is_undone_by_the_browser_and_no_cut_with_it(explore: Page):
    explore.get_by_test_id("ratio-input").fill("60")
    explore.get_by_test_id("ratio-input").press("Enter")
    shown = numbers(explore)
    explore.get_by_test_id("plans-button").click()
    explore.get_by_test_id("plan-name").press_sequentially("ab")
    explore.keyboard.press("Control+z")
    assert numbers(explore) == shown
