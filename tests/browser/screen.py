"""What a person sees and does in a tab: complaints, numbers of Explore, focus by keyboard."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, expect

from recede_dashboard.app import ASSETS
from recede_dashboard.serving.modules import namespace, read_modules
from tests.worker_process import eventually

# For machines that are busy with something else; nothing waits for it.
PATIENCE_MS = 120_000
TRAINING_MS = 240_000

NEXT_FRAME = (
    "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
)

NUMBERS = """() => {
  const value = (id) => document.getElementById(id).dataset.value;
  const layers = [...document.querySelectorAll('#layer-list [data-layer]:not([data-layer=""])')];
  return {
    removed: Number(value("removed-count")),
    params: Number(value("cost-params")),
    macs: Number(value("cost-macs")),
    kept: Object.fromEntries(layers.filter((one) => one.dataset.kept)
      .map((one) => [one.dataset.layer, Number(one.dataset.kept)])),
  };
}"""

_MODULES = read_modules(ASSETS / "app")


def module(path: str) -> str:
    """JavaScript that promises a module of the page, by its path below assets/app."""
    address = _MODULES.base + _MODULES.file_of[path]
    return f'import("{address}").then((file) => file.{namespace(path)})'


# The Explore that is on the page.
EXPLORE = f"{module('explore/page.js')}.then(({{ mounted }}) => [...mounted.values()][0])"

# Nothing is under way, and every epoch and the curve of the shown one are there: what happens
# now asks the server for nothing.
LOADED = f"""async () => {{
  const app = await {EXPLORE};
  const {{ curveOf }} = await {module("explore/data/curves.js")};
  const {{ source }} = app;
  const quiet = source.pending.size === 0 && !source.curvesWaiting?.size && !app.frame;
  const curve = app.panels.find((panel) => panel.host?.id === "curve");
  return quiet && source.epochs.every((epoch) => source.rankings.has(epoch))
    && curveOf(source, curve.place) !== null;
}}"""

CHOICES = """() => {
  const of = (id, name = "data-value") => document.getElementById(id)?.getAttribute(name) ?? null;
  return {
    epoch: of("epoch-slider"), ratio: of("ratio-slider"), threshold: of("threshold-line"),
    by: of("threshold-line", "data-by"), scope: of("scope-toggle"), axis: of("axis-toggle"),
    layer: document.querySelector("#layer-list [data-selected]")?.dataset.layer,
    tab: document.querySelector('[role="tab"][aria-selected="true"]').textContent,
  };
}"""


@dataclass
class Watch:
    """Everything that a tab asked for, and what the browser held against the page."""

    host: str
    requests: list[Request] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    tolerated: list[str] = field(default_factory=list)

    def tolerate(self, pattern: str) -> None:
        """Let errors pass that a test brings about, for instance by stopping the service."""
        self.tolerated.append(pattern)

    def complaints(self) -> list[str]:
        """Errors of the console or of scripts, and requests that went elsewhere."""
        known = [re.compile(pattern) for pattern in self.tolerated]
        errors = [line for line in self.errors if not any(one.search(line) for one in known)]
        return errors + [f"asked {url}" for url in self.urls() if self._is_foreign(url)]

    def urls(self) -> list[str]:
        return [request.url for request in self.requests]

    def of_the_page(self, since: int) -> list[str]:
        """Requests after the first `since`, without the shell's regular look at the workers.

        Nor the icon of the tab, which no script asks for: the browser does when it has time.
        """
        others = ("/api/v1/workers", "/assets/favicon.svg")
        return [url for url in self.urls()[since:] if urlsplit(url).path not in others]

    def _is_foreign(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme not in ("data", "blob") and parts.netloc != self.host


def watched(page: Page, url: str) -> Watch:
    """Start to listen to a tab. Chromium reports breaches of the CSP as errors of the console."""
    watch = Watch(urlsplit(url).netloc)

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            watch.errors.append(f"{message.text} ({message.location.get('url')})")

    page.on("console", on_console)
    page.on("pageerror", lambda error: watch.errors.append(f"uncaught: {error}"))
    page.on("request", lambda request: watch.requests.append(request))
    return watch


def next_frame(page: Page) -> None:
    """Wait until what was chosen is drawn."""
    page.evaluate(NEXT_FRAME)


def open_explore(page: Page, run_id: str, query: str = "") -> None:
    """The Explore tab of a run, with its numbers and its line drawn."""
    page.goto(f"/runs/{run_id}?tab=explore{query}")
    explore_is_ready(page)


def explore_is_ready(page: Page) -> None:
    expect(page.locator("#explore-root [data-state]").first).to_have_attribute(
        "data-state", "ready"
    )
    expect(page.get_by_test_id("cost-params")).to_have_attribute("data-value", re.compile(r"\d+"))
    expect(page.get_by_test_id("epoch-slider")).to_be_enabled()


def everything_is_loaded(page: Page) -> None:
    """Wait for what Explore fetches by itself after it is ready: all epochs, the curve."""
    eventually(lambda: page.evaluate(LOADED), "everything to be loaded")


def numbers(page: Page) -> dict[str, Any]:
    """The exact numbers of the cut as they are shown now."""
    next_frame(page)
    found: dict[str, Any] = page.evaluate(NUMBERS)
    return found


def choices(page: Page) -> dict[str, Any]:
    """What is chosen in Explore now."""
    next_frame(page)
    found: dict[str, Any] = page.evaluate(CHOICES)
    return found


def value(locator: Locator) -> float:
    """The exact value behind a shown number, once what was chosen is drawn."""
    next_frame(locator.page)
    text = locator.get_attribute("data-value")
    assert text is not None
    return float(text)


def picture(page: Page) -> str:
    """The pixels of the distribution as it is drawn now."""
    next_frame(page)
    pixels: str = page.get_by_test_id("distribution").evaluate("(canvas) => canvas.toDataURL()")
    return pixels


def tab_to(page: Page, target: Locator, *, back: bool = False, most: int = 80) -> None:
    """Move the focus to an element with the Tab key alone, as somebody without a mouse."""
    expect(target).to_be_visible()
    for _ in range(most):
        if target.evaluate("(node) => node === document.activeElement"):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"{target} was not reached with {most} presses of Tab")


def drag_line(page: Page, by_px: int) -> None:
    """Grip the threshold line at its handle and pull it sideways."""
    box = page.locator("#threshold-line .rx-handle").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by_px, y, steps=25)
    page.mouse.up()
    next_frame(page)
