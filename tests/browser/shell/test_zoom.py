"""At 200 % zoom, where 1280×800 shows 640×400 CSS pixels: nothing is cut off, all can be done."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from benchmarks.parts.big_run import Size
from recede.contract.schemas import RunOut
from tests.browser import views
from tests.browser.conftest import Opener
from tests.browser.screen import (
    TRAINING_MS,
    explore_is_ready,
    next_frame,
    numbers,
    value,
)
from tests.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ZOOMED: dict[str, Any] = {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2}
PAGES = {
    "runs": "/",
    "training": "/runs/{run}?tab=training",
    "explore": "/runs/{run}?tab=explore",
    "files": "/runs/{run}?tab=files",
    "compare": "/compare?runs={run},{other}",
    "settings": "/settings",
    "form": "/",
}

# What can be used or is read as a number, and does not lie whole within the page's width; what
# scrolls on its own, such as a wide table, is left out.
CUT_OFF = """() => {
  const scrolls = (node) => {
    for (let up = node.parentElement; up; up = up.parentElement) {
      const wide = up.scrollWidth > up.clientWidth;
      if (wide && ["auto", "scroll"].includes(getComputedStyle(up).overflowX)) return true;
    }
    return Boolean(node.closest(".ag-root-wrapper"));
  };
  const parts = "button, a, input, select, summary, output, dd, h1, h2, h3";
  const unseen = ".sr-only, .skip-link, .mantine-Radio-radio";
  return [...document.querySelectorAll(parts)]
    .filter((node) => node.checkVisibility() && !node.closest("[aria-hidden=true]"))
    .filter((node) => !node.matches(unseen) && !scrolls(node))
    .filter((node) => {
      const { left, right, width } = node.getBoundingClientRect();
      return width > 0 && (left < -1 || right > innerWidth + 1);
    })
    .map((node) => node.id || node.outerHTML.slice(0, 80));
}"""

OVERLAP = """() => {
  const parts = ["ratio-slider", "ratio-input", "threshold-input", "gap-button", "lossless-button",
    "target-slider", "target-input", "plans-button", "more-toggle", "removed-count", "cost-params",
    "cost-macs", "accuracy-value", "measure-button", "prune-button", "finetune-button"]
    .map((id) => [id, document.getElementById(id).getBoundingClientRect()]);
  const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  return parts.flatMap(([one, a], i) =>
    parts.slice(i + 1).filter(([, b]) => meet(a, b)).map(([two]) => [one, two]));
}"""


@pytest.fixture(scope="module")
def other(service: Service) -> RunOut:
    """A run to compare with, made up."""
    return views.made_up(service, Size(60, 2, 3))


@pytest.fixture
def zoomed(new_tab: Opener) -> Page:
    return new_tab(**ZOOMED)


def opened(page: Page, name: str, path: str) -> None:
    page.goto(path)
    expect(page.locator("main h1, main h3").first).to_be_attached()
    if name == "explore":
        explore_is_ready(page)
    if name == "compare":
        expect(page.get_by_test_id("compare-root")).to_have_attribute("data-state", "ready")
    if name == "form":
        page.get_by_test_id("new-run-button").click()
        expect(page.get_by_test_id("run-form")).to_be_visible()
        expect(page.get_by_test_id("submit-run")).to_be_in_viewport(ratio=1)
    page.wait_for_load_state("networkidle")
    next_frame(page)


@pytest.mark.parametrize("name", list(PAGES))
def test_no_page_scrolls_sideways_and_nothing_is_cut_off(
    zoomed: Page, run: RunOut, other: RunOut, name: str
):
    opened(zoomed, name, PAGES[name].format(run=run.id, other=other.id))
    assert zoomed.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert zoomed.evaluate(CUT_OFF) == []


def test_half_of_the_window_is_left_for_the_fields_of_the_form(zoomed: Page, run: RunOut):
    opened(zoomed, "form", "/")
    foot = zoomed.locator(".form-foot").bounding_box()
    head = zoomed.locator(".mantine-Drawer-header").bounding_box()
    assert foot is not None
    assert head is not None
    assert foot["y"] - (head["y"] + head["height"]) >= ZOOMED["viewport"]["height"] / 2


def whole(page: Page, part: Locator) -> None:
    """It can be brought into sight as a whole, with nothing over it."""
    part.scroll_into_view_if_needed()
    expect(part).to_be_in_viewport(ratio=1)
    box = part.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    assert part.evaluate(
        "(node, [x, y]) => node.contains(document.elementFromPoint(x, y))", [x, y]
    )


def test_the_whole_loop_is_done_zoomed_ratio_numbers_prune(zoomed: Page, run: RunOut):
    opened(zoomed, "explore", f"/runs/{run.id}?tab=explore&r=0.1")
    assert zoomed.evaluate(OVERLAP) == []
    before = numbers(zoomed)
    whole(zoomed, zoomed.get_by_test_id("ratio-slider"))
    zoomed.get_by_test_id("ratio-slider").click()  # its middle
    assert numbers(zoomed)["removed"] > before["removed"]
    for shown in ("removed-count", "cost-params", "cost-macs", "accuracy-value"):
        whole(zoomed, zoomed.get_by_test_id(shown))
    assert value(zoomed.get_by_test_id("cost-macs")) < before["macs"]
    whole(zoomed, zoomed.get_by_test_id("prune-button"))
    zoomed.get_by_test_id("prune-button").click()
    result = zoomed.get_by_test_id("prune-result")
    expect(result).to_have_attribute("data-state", "done", timeout=TRAINING_MS)
    whole(zoomed, zoomed.get_by_test_id("download-safetensors"))
    assert zoomed.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert zoomed.evaluate(CUT_OFF) == []
