"""What holds for each page: axe finds nothing serious, terms have cards, zoom cuts nothing off."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from benchmarks.parts.big_run import Size
from recede.contract.schemas import RunOut
from tests.browser import views
from tests.browser.conftest import Opener
from tests.browser.screen import explore_is_ready, next_frame
from tests.browser.shell.audits import breaches, cut_off, terms
from tests.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = {
    "runs": ("/", {"method", "accuracy", "lossless"}),
    "training": (
        "/runs/{run}?tab=training",
        {"method", "lambda", "shift", "penalty", "loss", "lossless", "prunable", "seed"},
    ),
    "explore": (
        "/runs/{run}?tab=explore",
        {"epoch", "logit", "receded", "polarisation", "gap", "ratio", "threshold", "scope",
         "criterion", "rounding", "minimum", "exact", "measured", "params", "macs", "lossless"},
    ),
    "files": ("/runs/{run}?tab=files", {"test", "validation", "macs", "params", "sha256"}),
    "compare": ("/compare?runs={run},{other}", {"ratio", "macs", "params", "lossless"}),
    "settings": ("/settings", set()),
    "form": ("/", {"method", "lambda", "shift", "epoch", "batch", "rate", "schedule"}),
}  # fmt: skip
"""Address of each page, and terms of the glossary that it shows."""


@pytest.fixture(scope="module")
def other(service: Service) -> RunOut:
    """A run to compare with, made up."""
    return views.made_up(service, Size(60, 2, 3))


def opened(page: Page, name: str, path: str) -> None:
    """The page with all that it shows."""
    page.goto(path)
    expect(page.locator("main h1, main h3").first).to_be_attached()
    if name in ("runs", "form"):
        expect(page.locator(".ag-header-cell-text", has_text="Network")).to_be_visible()
    if name == "explore":
        explore_is_ready(page)
        page.get_by_test_id("more-toggle").click()
    if name == "compare":
        expect(page.get_by_test_id("compare-root")).to_have_attribute("data-state", "ready")
    if name == "form":
        page.get_by_test_id("new-run-button").click()
        expect(page.get_by_test_id("run-form")).to_be_visible()
        folds = page.locator("#run-form details")
        folds.evaluate_all("(nodes) => nodes.forEach((node) => (node.open = true))")
    page.wait_for_load_state("networkidle")
    next_frame(page)


@pytest.mark.parametrize("name", list(PAGES))
def test_a_page_is_accessible_explains_its_terms_and_is_whole_when_zoomed(
    new_tab: Opener, run: RunOut, other: RunOut, name: str
):
    path, least = PAGES[name]
    page = new_tab(color_scheme="light", reduced_motion="reduce")
    opened(page, name, path.format(run=run.id, other=other.id))
    shown, unexplained = terms(page)
    assert unexplained == []
    assert least - shown == set()
    assert breaches(page) == []
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    assert breaches(page) == []
    page.set_viewport_size({"width": 640, "height": 400})  # 1280×800 at 200 %
    if name == "form":
        expect(page.get_by_test_id("submit-run")).to_be_in_viewport(ratio=1)
    assert cut_off(page) == []
