"""Light and dark on three sizes of screen: all fits the window, charts follow the scheme."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from recede.contract.schemas import RunOut
from tests.browser import views
from tests.browser.conftest import Opener
from tests.browser.screen import (
    explore_is_ready,
    next_frame,
    open_explore,
    picture,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIZES = [(390, 844), (1280, 800), (1920, 1080)]

# Text that reaches out of the window, unless what holds it clips or scrolls it.
OVERFLOWING = """() => {
  const out = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const clipped = (node) => {
    for (let up = node; up && up !== document.body; up = up.parentElement) {
      const { overflowX } = getComputedStyle(up);
      const fits = up.getBoundingClientRect().right <= innerWidth + 1;
      if (overflowX !== "visible" && fits) return true;
    }
    return false;
  };
  while (walker.nextNode()) {
    const text = walker.currentNode;
    const parent = text.parentElement;
    if (!text.data.trim() || !parent.checkVisibility({ visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const { left, right, bottom, width } = range.getBoundingClientRect();
    const hidden = !width || right <= 0 || bottom <= 0;
    if (!hidden && (right > innerWidth + 1 || left < -1) && !clipped(parent)) {
      out.push(text.data.trim().slice(0, 60));
    }
  }
  return out;
}"""

NOTHING_IS_WIDER = "() => document.documentElement.scrollWidth <= innerWidth"

BRIGHTNESS = """() => {
  const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(Number);
  return (r + g + b) / 3 / 255;
}"""


def expect_to_fit(page: Page) -> None:
    """No horizontal scrollbar, no text out of the window, the header in sight."""
    next_frame(page)
    width, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= window
    assert page.evaluate(OVERFLOWING) == []
    expect(page.get_by_role("banner").first).to_be_in_viewport(ratio=1)


def expect_to_fit_everywhere(page: Page) -> None:
    """On each size of screen, light and dark; the tab goes back to how it was."""
    before = page.viewport_size
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
        assert (page.evaluate(BRIGHTNESS) < 0.5) == (scheme == "dark")
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_function(NOTHING_IS_WIDER)  # charts follow it when they have time
            expect_to_fit(page)
    page.set_viewport_size(before)


def test_every_page_fits_the_window(new_tab: Opener, run: RunOut):
    page = new_tab("/", color_scheme="light")
    expect(page.get_by_role("row").filter(has_text=run.id)).to_be_visible()
    expect_to_fit_everywhere(page)
    page.get_by_test_id("new-run-button").click()
    expect(page.locator("#run-form-steps")).to_contain_text("optimiser steps")
    expect(page.get_by_test_id("submit-run")).to_be_in_viewport(ratio=1)  # has slid in
    expect_to_fit_everywhere(page)
    page.keyboard.press("Escape")
    page.get_by_role("row").filter(has_text=run.id).get_by_role("link").click()
    explore_is_ready(page)
    expect_to_fit_everywhere(page)
    page.get_by_role("tab", name="Training").click()
    expect(page.locator("#accuracy-chart .main-svg").first).to_be_visible()
    expect_to_fit_everywhere(page)
    page.get_by_role("tab", name="Files").click()
    expect(page.get_by_test_id("checkpoint-trained").first).to_be_visible()
    expect_to_fit_everywhere(page)
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_test_id("settings-workers")).to_be_visible()
    expect_to_fit_everywhere(page)


def test_a_tab_that_is_opened_later_is_filled_like_one_that_was_opened_first(
    page: Page, run: RunOut
):
    open_explore(page, run.id)
    page.get_by_role("tab", name="Training").click()
    expect(page.get_by_test_id("tile-epochs")).to_contain_text("4 / 4")
    expect(page.get_by_test_id("tile-lossless")).to_contain_text("%")
    expect(page.get_by_test_id("log-lines")).to_contain_text("epoch 4")


def test_the_switch_changes_page_and_charts_and_is_remembered(page: Page, run: RunOut):
    page.emulate_media(color_scheme="light")
    open_explore(page, run.id)
    light = picture(page)
    page.get_by_test_id("scheme-dark").click()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    expect(page.get_by_test_id("scheme-dark")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate(BRIGHTNESS) < 0.5
    assert picture(page) != light
    page.reload()
    explore_is_ready(page)
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    assert page.evaluate(BRIGHTNESS) < 0.5
    page.get_by_test_id("scheme-auto").click()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "light")
    assert picture(page) == light


# What lies at the middle of a control that is seen, where it is neither the control nor its label.
COVERED = """() => {
  const out = [];
  for (const node of document.querySelectorAll(".rx :is(button, select, input, summary)")) {
    const box = node.getBoundingClientRect();
    if (!box.width || !node.checkVisibility({ visibilityProperty: true })) continue;
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const found = document.elementFromPoint(x, y);
    const own = !found || node.contains(found) || found.contains(node) || found.closest("label");
    if (!own) {
      out.push(`${node.id || node.textContent} under ${found.className}`);
    }
  }
  return out;
}"""


def test_no_control_of_explore_lies_under_another(page: Page, run: RunOut):
    open_explore(page, run.id, "&epoch=2&r=0.3")
    for width, height in [(1280, 800), (1366, 768), (1440, 900), (1920, 1080)]:
        page.set_viewport_size({"width": width, "height": height})
        for view in views.VIEWS:
            page.get_by_test_id(f"view-tab-{view}").evaluate("(tab) => tab.click()")
            next_frame(page)
            assert page.evaluate(COVERED) == [], (width, view)
        page.get_by_test_id("curve-compare").evaluate(CHOOSE, -1)
        page.get_by_test_id("view-tab-curve").evaluate("(tab) => tab.click()")
        next_frame(page)
        assert page.evaluate(COVERED) == [], width
        page.get_by_test_id("curve-compare").evaluate(CHOOSE, 0)


CHOOSE = """(select, place) => {
  select.selectedIndex = place < 0 ? select.options.length + place : place;
  select.dispatchEvent(new Event("change"));
}"""
