"""Everything without a mouse: Tab, Enter and arrow keys from the start page to a changed cut."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from recede.contract.schemas import RunOut
from recede.contract.states import State
from tests.browser.screen import (
    numbers,
    open_explore,
    tab_to,
    value,
)
from tests.service import Service
from tests.worker_process import eventually

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_run_is_submitted_with_the_keyboard_alone(page: Page, service: Service, run: RunOut):
    page.goto("/")
    expect(page.get_by_role("row").filter(has_text=run.id)).to_be_visible()
    tab_to(page, page.get_by_test_id("new-run-button"))
    page.keyboard.press("Enter")
    form = page.get_by_test_id("run-form")
    expect(form).to_be_visible()
    expect(page.locator("#run-form-steps")).to_contain_text("optimiser steps")
    tab_to(page, form.get_by_test_id("field-dataset"))
    page.keyboard.press("Enter")
    digits = page.get_by_role("option", name="Digits", exact=True)
    expect(digits).to_be_visible()
    for _ in range(10):
        if digits.get_attribute("data-combobox-selected"):
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    tab_to(page, form.get_by_test_id("field-name"))
    page.keyboard.type("By keyboard")
    expect(page.locator("#run-snippet-cli")).to_contain_text("By keyboard")
    tab_to(page, page.get_by_test_id("submit-run"))
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/runs/\w+"))
    submitted = service.client.runs(search="By keyboard").items
    assert [one.spec.dataset for one in submitted] == ["digits"]
    service.client.cancel_run(submitted[0].id)
    eventually(
        lambda: service.client.run(submitted[0].id).state == State.CANCELLED, "the cancellation"
    )


def test_a_run_is_opened_from_the_table_and_cut_with_the_keyboard_alone(page: Page, run: RunOut):
    page.goto("/")
    row = page.get_by_role("row").filter(has_text=run.id)
    expect(row).to_be_visible()
    grid = page.locator("#runs-table .ag-cell:focus, #runs-table .ag-header-cell:focus")
    for _ in range(40):
        page.keyboard.press("Tab")
        if grid.count():
            break
    for _ in range(40):
        if row.locator(".ag-cell:focus").count():
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"/runs/{run.id}"))

    slider = page.get_by_test_id("ratio-slider")
    expect(slider).to_be_enabled()
    tab_to(page, slider)
    before = numbers(page)
    page.keyboard.press("PageUp")
    after = numbers(page)
    assert after["removed"] > before["removed"]
    line = page.get_by_test_id("threshold-line")
    tab_to(page, line, back=True)
    at = value(line)
    page.keyboard.press("Shift+ArrowLeft")
    assert numbers(page)["removed"] < after["removed"]
    assert value(line) < at
    page.keyboard.press("Home")
    assert numbers(page)["removed"] == 0


@pytest.mark.parametrize("key", ["ArrowDown", "ArrowUp"])
def test_an_arrow_key_leads_from_nowhere_into_the_first_row_of_the_table(
    page: Page, run: RunOut, key: str
):
    page.goto("/")
    first = page.locator("#runs-table .ag-center-cols-container .ag-row[row-index='0']")
    expect(first.locator(".cell-name")).to_be_visible()
    assert page.evaluate("document.activeElement === document.body")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press(key)  # the dialog has the keys
    assert first.locator(".ag-cell:focus").count() == 0
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()
    page.keyboard.press(key)
    expect(first.locator(".ag-cell:focus")).to_have_count(1)
    name = first.locator(".cell-id .mono").text_content()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"/runs/{name}"))


def test_keys_are_listed_with_a_question_mark_and_escape_closes_the_list(page: Page, run: RunOut):
    open_explore(page, run.id)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("New run")
    expect(dialog).to_contain_text("Measure this cut")  # Explore's own keys are there too
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_the_keys_of_explore_do_what_the_list_says(page: Page, run: RunOut):
    open_explore(page, run.id, "&epoch=2&r=0.5")
    label = page.get_by_test_id("epoch-label")
    page.keyboard.press("]")
    expect(label).to_have_attribute("data-value", "3")
    page.keyboard.press("[")
    page.keyboard.press("[")  # a second press in the same frame counts too
    expect(label).to_have_attribute("data-value", "1")
    page.keyboard.press("3")
    expect(page.get_by_role("tab", name="Files")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("2")
    expect(page.get_by_role("tab", name="Explore")).to_have_attribute("aria-selected", "true")
