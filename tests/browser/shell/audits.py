"""What may be wrong with any page, found by looking at all of it; each list should be empty."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

from tests.browser.screen import module, next_frame

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
SERIOUS = ("serious", "critical")
_BREACHES = """async (tags) => {
  const moves = () =>
    document.getAnimations().filter((one) => one.effect.getTiming().iterations < Infinity);
  while (moves().length) {  // a colour that is inherited arrives later by a frame at each level
    await Promise.allSettled(moves().map((one) => one.finished));
    await new Promise((done) => requestAnimationFrame(done));
  }
  const runOnly = { type: "tag", values: tags };
  const { violations } = await window.axe.run(document, { runOnly });
  return violations.map(({ id, impact, help, nodes }) =>
    ({ id, impact, help, nodes: nodes.map((node) => node.html.slice(0, 160)) }));
}"""

# Every piece of text that labels something and that the glossary knows, with its term if marked.
_JARGON = f"""async () => {{
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
_STOPS = """() => [...document.querySelectorAll("[data-term]")]
  .filter((node) => node.checkVisibility() && !node.disabled)
  .map((node) => [node.dataset.term,
    node.tabIndex >= 0 || Boolean(node.closest(".ag-header, [role=radiogroup]"))])"""

# What can be used or is read as a number, and does not lie whole within the page's width; what
# scrolls on its own, such as a wide table, is left out.
_CUT_OFF = """() => {
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


def breaches(page: Page) -> list[dict[str, Any]]:
    """What axe-core calls serious or critical on the page as it is now."""
    next_frame(page)
    page.evaluate(AXE)
    found: list[dict[str, Any]] = page.evaluate(_BREACHES, RULES)
    return [one for one in found if one["impact"] in SERIOUS]


def terms(page: Page) -> tuple[set[str], list[str]]:
    """Terms of the glossary that the page shows, and labels that do not lead to their card."""
    page.evaluate(f"async () => (await {module('shell/terms/card.js')}).scanTerms()")
    found: list[list[Any]] = page.evaluate(_JARGON)
    stops: list[list[Any]] = page.evaluate(_STOPS)
    reached = {term for term, is_reached in stops if is_reached}
    unmarked = [label for label, known, marked in found if marked != known]
    return {term for _, term, _ in found}, unmarked + sorted({one for one, _ in stops} - reached)


def cut_off(page: Page) -> list[str]:
    """Controls and numbers that are not whole, and whether the page scrolls sideways."""
    next_frame(page)
    found: list[str] = page.evaluate(_CUT_OFF)
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return found + ["the page scrolls sideways"] * wide
