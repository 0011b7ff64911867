"""The views below the distribution: where their cells and dots lie on the page."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from benchmarks.parts.big_run import Size, make
from recede.contract.schemas import RunOut
from recede.store.database.engine import open_store, sqlite_url
from tests.browser.screen import EXPLORE, next_frame, open_explore
from tests.service import Service

VIEWS = {
    "curve": "Curve",
    "heat": "Layers",
    "neurons": "Neurons",
    "map": "Map",
    "pareto": "Pareto",
}

_TARGET = f"""async ([id, args]) => {{
  const app = await {EXPLORE};
  const view = app.views.panels.find((panel) => panel.id === id);
  const found = id === "pareto" ? view.target(view.sorted()[args[0]]) : view.target(...args);
  const box = view.plotNode.getBoundingClientRect();
  return [box.left + found.x, box.top + found.y];
}}"""

_TIP = """(node) => Object.fromEntries([["title", node.querySelector("b").textContent],
  ...[...node.querySelectorAll("dt")].map((dt) =>
    [dt.textContent, dt.nextSibling.textContent])])"""


@pytest.fixture(scope="module", name="run")
def small_run(service: Service) -> RunOut:
    """A small run that was made up."""
    return made_up(service, Size(neurons=400, epochs=4, layers=5, map_every=1))


@pytest.fixture(name="explore")
def opened(page: Page, run: RunOut) -> Page:
    """Explore, of that run."""
    open_explore(page, run.id)
    return page


def made_up(service: Service, size: Size) -> RunOut:
    """A finished run that was never trained: importances, map and measured cuts are made up."""
    store = open_store(sqlite_url(service.folder / "data" / "recede.db"))
    try:
        return service.client.run(make(store, size))
    finally:
        store.close()


def show(page: Page, view: str) -> None:
    """Open a view with its tab and wait until it is drawn."""
    page.get_by_test_id(f"view-tab-{view}").click()
    is_drawn(page, view)


def is_drawn(page: Page, view: str) -> None:
    expect(page.get_by_test_id(f"view-{view}")).to_have_attribute("data-state", "ready")
    next_frame(page)


def place(page: Page, view: str, *target: int) -> tuple[float, float]:
    """Where a cell (column, row) or a dot (its number) lies on the page."""
    x, y = page.evaluate(_TARGET, [view, list(target)])
    return x, y


def point_at(page: Page, view: str, *target: int) -> dict[str, Any]:
    """Point at it; what the card says."""
    page.mouse.move(*place(page, view, *target))
    return tip(page, view)


def click(page: Page, view: str, *target: int) -> None:
    page.mouse.click(*place(page, view, *target))
    next_frame(page)


def tip(page: Page, view: str) -> dict[str, Any]:
    """What the card beside the pointed or focused place says."""
    card = page.get_by_test_id(f"{view}-tip")
    expect(card).to_be_visible()
    next_frame(page)
    said: dict[str, Any] = card.evaluate(_TIP)
    return said


def drawn(page: Page, view: str) -> str:
    """The pixels of a view as it is drawn now."""
    next_frame(page)
    pixels: str = page.get_by_test_id(f"{view}-canvas").evaluate("(node) => node.toDataURL()")
    return pixels
