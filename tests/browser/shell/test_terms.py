"""The card of a term, by pointer and by key; test_every_page.py sees that each label has one."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from recede.contract.schemas import RunOut
from tests.browser.screen import open_explore, tab_to
from tests.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_label_explains_itself_to_pointer_and_keyboard(page: Page, run: RunOut):
    open_explore(page, run.id)
    label = page.locator(".rx-entry-label", has_text="MACs")
    card = page.get_by_test_id("term-card")
    label.hover()
    expect(card).to_contain_text("in channels · out channels")
    expect(card).to_contain_text("flop_counter")
    card.hover()  # so that its text can be selected
    expect(card).to_be_visible()
    page.mouse.move(5, 5)
    expect(card).to_be_hidden()
    tab_to(page, label)
    expect(card).to_be_visible()
    described = label.get_attribute("aria-describedby")
    assert described == card.get_attribute("id")
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()


def test_the_method_of_a_run_is_explained_with_what_the_catalog_says(
    page: Page, service: Service, run: RunOut
):
    page.goto(f"/runs/{run.id}?tab=training")
    methods = service.client.catalog().methods
    (own,) = [one for one in methods if one.name == run.spec.method]
    tab_to(page, page.locator(".chip dt", has_text="Method"))
    card = page.get_by_test_id("term-card")
    expect(card).to_contain_text(own.help)
    for one in methods:
        if one is not own:
            expect(card).not_to_contain_text(one.label)


def test_the_head_of_the_table_explains_itself_to_the_keyboard(page: Page, run: RunOut):
    page.goto("/")
    expect(page.get_by_role("row").filter(has_text=run.id)).to_be_visible()
    head = page.locator(".ag-header-cell").filter(has_text="Lossless cut")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.locator(".ag-header-cell:focus").count():
            break
    for _ in range(12):
        if head.evaluate("(node) => node === document.activeElement"):
            break
        page.keyboard.press("ArrowRight")
    expect(page.get_by_test_id("term-card")).to_contain_text("standard error")
