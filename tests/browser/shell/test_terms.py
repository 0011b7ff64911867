"""No jargon without its meaning: each label that the glossary knows has a card by hand and key."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from benchmarks.parts.big_run import Size
from recede.contract.schemas import RunOut
from tests.browser import views
from tests.browser.screen import (
    explore_is_ready,
    module,
    next_frame,
    open_explore,
    tab_to,
)
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
    "form": ("/", {"method", "lambda", "shift", "epoch", "batch", "rate", "schedule"}),
}  # fmt: skip

# Every piece of text that labels something and that the glossary knows, with its term if marked.
JARGON = f"""async () => {{
  const {{ findTerm }} = await {module("shell/terms/glossary.js")};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const text = "option, pre, code, script, style, a, summary, b, output";
  const content = `dd, td, svg, [role=tab], [role=gridcell], ${{text}}`;
  const out = [];
  while (walker.nextNode()) {{
    const node = walker.currentNode.parentElement;
    const label = walker.currentNode.data.trim();
    if (!label || !findTerm(label) || node.closest(content) || !node.checkVisibility()) continue;
    out.push([label, findTerm(label), node.closest("[data-term]")?.dataset.term ?? null]);
  }}
  return out;
}}"""

# Terms that can be seen, and whether Tab or the arrow keys of their group lead there.
STOPS = """() => [...document.querySelectorAll("[data-term]")]
  .filter((node) => node.checkVisibility() && !node.disabled)
  .map((node) => [node.dataset.term,
    node.tabIndex >= 0 || Boolean(node.closest(".ag-header, [role=radiogroup]"))])"""


@pytest.fixture(scope="module")
def other(service: Service) -> RunOut:
    """A run to compare with, made up."""
    return views.made_up(service, Size(60, 2, 3))


def opened(page: Page, name: str, path: str) -> None:
    """The page with all that it shows, its labels looked at."""
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
    page.evaluate(f"async () => (await {module('shell/terms/card.js')}).scanTerms()")


@pytest.mark.parametrize("name", list(PAGES))
def test_every_label_of_the_glossary_is_a_term_that_the_keyboard_reaches(
    page: Page, run: RunOut, other: RunOut, name: str
):
    path, least = PAGES[name]
    opened(page, name, path.format(run=run.id, other=other.id))
    found: list[list[Any]] = page.evaluate(JARGON)
    assert [one for one in found if one[2] != one[1]] == []
    assert least - {term for _, term, _ in found} == set()
    stops: list[list[Any]] = page.evaluate(STOPS)
    reached = {term for term, is_reached in stops if is_reached}
    assert {term for term, _ in stops} == reached


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
