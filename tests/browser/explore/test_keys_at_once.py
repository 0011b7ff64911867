"""What is typed right after a key reaches what the key has opened, however slow the drawing is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from recede.contract.schemas import RunOut
from recede.contract.spec.run import Plan
from tests.browser.screen import (
    next_frame,
    numbers,
    open_explore,
    tab_to,
)
from tests.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# All in one task: no frame, timer or event of the browser comes between the keys.
PRESS = """(keys) => {
  for (const key of keys) {
    const target = document.activeElement || document.body;
    target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  }
  return document.activeElement.id;
}"""


@pytest.fixture
def explore(page: Page, run: RunOut) -> Page:
    open_explore(page, run.id, "&epoch=3&r=0.4")
    return page


@pytest.fixture
def plan(service: Service, run: RunOut) -> Iterator[str]:
    yield service.client.save_plan(run.id, "kept", Plan(epoch=3, ratio=0.2)).name
    for one in service.client.plans(run.id).items:
        service.client.delete_plan(run.id, one.id)


def leave_the_field(page: Page) -> None:
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")


def test_the_cursor_is_in_the_field_before_the_key_is_done(explore: Page):
    for keys, field in [
        ("p", "plan-name"),
        ("a", "target-input"),
        ("o", "own-ratio"),
        ("..o", "own-ratio"),
    ]:
        assert explore.evaluate(PRESS, list(keys)) == field
        leave_the_field(explore)


def test_letters_typed_at_once_are_text_and_no_keys(explore: Page):
    for key, field, typed in [
        ("p", "plan-name", "vlbm 23"),
        ("a", "target-input", "41.5"),
        ("o", "own-ratio", "32"),
    ]:
        explore.keyboard.press(key)
        explore.keyboard.type(typed)
        expect(explore.get_by_test_id(field)).to_have_value(typed)
        expect(explore.get_by_test_id("tab-explore")).to_have_attribute("aria-selected", "true")
        curve = explore.get_by_test_id("view-tab-curve")
        expect(curve).to_have_attribute("aria-selected", "true")
        leave_the_field(explore)


def test_the_own_ratio_is_of_the_layer_that_was_stepped_to(explore: Page):
    explore.evaluate(PRESS, list("..o"))
    names = explore.locator("#layer-list li.rx-layer").evaluate_all(
        "(rows) => rows.map((row) => row.dataset.layer)"
    )
    expect(explore.get_by_test_id("own-ratio")).to_have_attribute(
        "aria-label", f"Ratio of {names[2]} in percent"
    )


def test_plans_opened_with_enter_take_the_name_at_once(explore: Page):
    tab_to(explore, explore.get_by_test_id("plans-button"))
    explore.keyboard.press("Enter")
    explore.keyboard.type("mnop")
    expect(explore.get_by_test_id("plan-name")).to_have_value("mnop")
    explore.keyboard.press("Escape")
    expect(explore.get_by_test_id("plans-button")).to_be_focused()


def test_the_focus_stays_in_the_list_when_a_plan_is_taken_up_or_renamed(explore: Page, plan: str):
    explore.keyboard.press("p")
    row = explore.get_by_test_id("plans-list").get_by_role("listitem").filter(has_text=plan)
    tab_to(explore, row.get_by_role("button").first)
    explore.keyboard.press("Enter")
    expect(explore.get_by_test_id("plan-present")).to_be_visible()
    expect(row.get_by_role("button").first).to_be_focused()
    before = numbers(explore)
    tab_to(explore, row.locator('[data-tool="edit"]'))
    explore.keyboard.press("Enter")
    explore.keyboard.type("mlg")
    expect(explore.get_by_test_id("plan-rename")).to_have_value("mlg")
    explore.keyboard.press("Escape")
    expect(row.get_by_role("button").first).to_be_focused()
    assert numbers(explore) == before


def test_more_is_there_for_the_very_next_tab(explore: Page):
    tab_to(explore, explore.get_by_test_id("more-toggle"))
    explore.evaluate("document.activeElement.click()")
    assert explore.get_by_test_id("more-panel").is_visible()


@pytest.mark.parametrize("first", ["?", "n"])
def test_keys_rest_from_the_moment_a_dialog_was_asked_for(explore: Page, first: str):
    shown = numbers(explore)
    explore.evaluate(PRESS, [first, "n" if first == "?" else "?", "l", "2", "p"])
    dialogs = explore.get_by_role("dialog")
    expect(dialogs).to_have_count(1)
    expect(dialogs).to_contain_text("Keyboard" if first == "?" else "New run")
    next_frame(explore)
    expect(dialogs).to_have_count(1)
    assert numbers(explore) == shown
    expect(explore.get_by_test_id("plans-list")).to_be_hidden()
    if first == "?":
        expect(explore.locator("#keys-explore")).to_contain_text("Play or pause the epochs")


def test_escape_takes_a_dialog_back_that_is_not_drawn_yet(explore: Page):
    explore.evaluate(PRESS, ["?", "Escape"])
    explore.keyboard.press("p")
    expect(explore.get_by_test_id("plan-name")).to_be_focused()
    expect(explore.get_by_role("dialog")).to_have_count(0)


def test_a_question_has_the_focus_on_its_harmless_answer(explore: Page):
    explore.get_by_test_id("delete-run").click()
    expect(explore.get_by_role("button", name="Keep it")).to_be_focused()
    explore.keyboard.press("Enter")
    expect(explore.get_by_role("dialog")).to_have_count(0)


def test_a_search_is_typed_right_after_its_key(page: Page, run: RunOut):
    page.goto("/")
    expect(page.get_by_role("row").filter(has_text=run.id)).to_be_visible()
    assert page.evaluate(PRESS, ["/"]) == "runs-search"
    page.keyboard.type("nr2?")
    expect(page.get_by_test_id("runs-search")).to_have_value("nr2?")
