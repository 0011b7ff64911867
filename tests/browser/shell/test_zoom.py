"""At 200 % zoom, where 1280×800 shows 640×400 CSS pixels: nothing is cut off, all can be done."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from recede.contract.schemas import RunOut
from tests.browser.conftest import Opener
from tests.browser.screen import (
    TRAINING_MS,
    numbers,
    open_explore,
    value,
)
from tests.browser.shell.audits import cut_off

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ZOOMED: dict[str, Any] = {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2}
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


@pytest.fixture
def zoomed(new_tab: Opener) -> Page:
    return new_tab(**ZOOMED)


def test_half_of_the_window_is_left_for_the_fields_of_the_form(zoomed: Page, run: RunOut):
    zoomed.goto("/")
    zoomed.get_by_test_id("new-run-button").click()
    expect(zoomed.get_by_test_id("submit-run")).to_be_in_viewport(ratio=1)  # has slid in
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
    open_explore(zoomed, run.id, "&r=0.1")
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
    assert cut_off(zoomed) == []
