"""Accessibility: axe-core finds nothing serious on any page; 200 % zoom; reduced motion."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from recede.contract.schemas import RunOut
from tests.browser.conftest import Opener
from tests.browser.screen import explore_is_ready, next_frame

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCRIPT = files("axe_playwright_python").joinpath("axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
SERIOUS = ("serious", "critical")
FOUND = """async (tags) => {
  const runOnly = { type: "tag", values: tags };
  const { violations } = await window.axe.run(document, { runOnly });
  return violations.map(({ id, impact, help, nodes }) =>
    ({ id, impact, help, nodes: nodes.map((node) => node.html.slice(0, 160)) }));
}"""
PAGES = {
    "runs": "/",
    "training": "/runs/{run}?tab=training",
    "explore": "/runs/{run}?tab=explore",
    "files": "/runs/{run}?tab=files",
    "settings": "/settings",
}


def serious(page: Page) -> list[dict[str, Any]]:
    """What axe-core calls serious or critical on the page as it is now."""
    page.evaluate(SCRIPT)
    found: list[dict[str, Any]] = page.evaluate(FOUND, RULES)
    return [one for one in found if one["impact"] in SERIOUS]


def settled(page: Page, name: str) -> None:
    expect(page.locator("main")).to_be_visible()
    if name == "explore":
        explore_is_ready(page)
    page.wait_for_load_state("networkidle")
    next_frame(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", list(PAGES))
def test_axe_finds_nothing_serious(new_tab: Opener, run: RunOut, name: str, scheme: str):
    page = new_tab(PAGES[name].format(run=run.id), color_scheme=scheme, reduced_motion="reduce")
    settled(page, name)
    assert serious(page) == []


def test_axe_finds_nothing_serious_in_the_form(new_tab: Opener, run: RunOut):
    page = new_tab("/", reduced_motion="reduce")
    page.get_by_test_id("new-run-button").click()
    expect(page.get_by_test_id("run-form")).to_be_visible()
    settled(page, "form")
    assert serious(page) == []
