"""What a benchmark measures in a tab: steps of a control, bare redraws, weight and memory."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page

READY = '#explore-root [data-state="ready"]'

# Resolves after the frame is painted: a message is handled once the frame's work is done.
DRAWN = """() => new Promise((done) => requestAnimationFrame(() => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => done(performance.now());
  port2.postMessage(0);
}))"""

STEPS = (
    """async ({ selector, values }) => {
  const drawn = """
    + DRAWN
    + """;
  const input = document.querySelector(selector);
  const write = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  const out = [];
  for (const value of values) {
    await drawn();
    const from = performance.now();
    write.call(input, value);
    input.dispatchEvent(new Event("input", { bubbles: true }));
    out.push((await drawn()) - from);
  }
  return out;
}"""
)

# The same path for a real pointer: from the time stamp that the browser gave its event.
LISTEN = (
    """(selector) => {
  const drawn = """
    + DRAWN
    + """;
  window.probed = [];
  document.querySelector(selector).addEventListener("pointermove", async (event) => {
    const from = event.timeStamp;
    window.probed.push((await drawn()) - from);
  }, true);
}"""
)


def _bare(setup: str, step: str, end: str) -> str:
    """A script that times one step of drawing n times, as STEPS times the page's own."""
    return (
        "async ({ n, bars }) => {\n  const drawn = "
        + DRAWN
        + ";\n"
        + setup
        + """
  const out = [];
  for (let i = 0; i < n; i++) {
    await drawn();
    const from = performance.now();
    await new Promise((next) => requestAnimationFrame(next));
"""
        + step
        + """
    out.push((await drawn()) - from);
  }
"""
        + end
        + """
  return out;
}"""
    )


BARE_CANVAS = _bare(
    """
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 554, height: 284 });
  canvas.style.cssText = "position:fixed;inset:0 auto auto 0;z-index:9";
  document.body.append(canvas);
  const pen = canvas.getContext("2d");""",
    """
    pen.clearRect(0, 0, 554, 284);
    for (let bar = 0; bar < bars; bar++)
      pen.fillRect(4 * bar, 284, 3, -((bar * 37 + i) % 280));""",
    "canvas.remove();",
)

BARE_PLOTLY = _bare(
    """
  const host = document.createElement("div");
  host.style.cssText = "position:fixed;inset:0 auto auto 0;width:554px;height:284px;z-index:9";
  document.body.append(host);
  const y = Array.from({ length: bars }, (_, i) => (i * 37) % 280);
  const line = (x) => ({ type: "line", x0: x, x1: x, y0: 0, y1: 280 });
  await window.Plotly.newPlot(host, [{ type: "bar", y }], { shapes: [line(0)] });""",
    "await window.Plotly.relayout(host, { shapes: [line(i % bars)] });",
    "window.Plotly.purge(host);\n  host.remove();",
)

FETCHES = """async (paths) => {
  const out = [];
  for (const path of paths) {
    const from = performance.now();
    await (await fetch(path)).json();
    out.push(performance.now() - from);
  }
  return out;
}"""


@dataclass
class Wire:
    """Bytes that a tab received, as they came over the wire, by kind of resource."""

    total: int = 0
    requests: int = 0
    charts: int = 0
    data: int = 0
    """What the API answered: it is as large as the run."""
    _urls: dict[str, str] = field(default_factory=dict)

    def listen(self, session: CDPSession) -> None:
        """Count from now on."""
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", self._sent)
        session.on("Network.loadingFinished", self._finished)

    def _sent(self, event: dict[str, Any]) -> None:
        self.requests += 1
        self._urls[event["requestId"]] = event["request"]["url"]

    def _finished(self, event: dict[str, Any]) -> None:
        size = int(event["encodedDataLength"])
        self.total += size
        url = self._urls.get(event["requestId"], "")
        if "plotly" in url:
            self.charts += size
        if "/api/" in url:
            self.data += size


def p95(values_ms: Sequence[float]) -> float:
    """The 95th percentile, in the unit of the values."""
    return statistics.quantiles(values_ms, n=20, method="inclusive")[-1]


def new_tab(browser: Browser, url: str) -> Page:
    """A tab of 1280×800 with an empty cache."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800},
        base_url=url,
        bypass_csp=True,  # to be probed
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    return page


def open_explore(page: Page, run_id: str, query: str = "") -> float:
    """Seconds from the address to a page whose numbers are there and that answers."""
    page.goto(f"/runs/{run_id}?tab=explore{query}", wait_until="commit")
    page.wait_for_selector(READY)
    page.wait_for_function("document.querySelector('#cost-params')?.dataset.value")
    page.evaluate(DRAWN)
    return float(page.evaluate("performance.now()")) / 1000


def steps(page: Page, selector: str, values: Sequence[float]) -> list[float]:
    """Milliseconds from each input event to the painted frame with all that follows from it."""
    found: list[float] = page.evaluate(STEPS, {"selector": selector, "values": [*values]})
    return found


def drag(page: Page, n: int) -> list[float]:
    """The same for a pointer that drags the line in the chart over n places."""
    box = page.locator("#explore-plot").bounding_box()
    assert box is not None
    y = box["y"] + 0.85 * box["height"]
    page.evaluate(LISTEN, "#explore-plot")
    page.mouse.move(box["x"] + 0.3 * box["width"], y)
    page.mouse.down()
    for i in range(n):
        page.mouse.move(box["x"] + (0.25 + 0.5 * ((i * 7) % n) / n) * box["width"], y)
        page.evaluate(DRAWN)
    found: list[float] = page.evaluate("window.probed.slice()")
    page.mouse.up()
    return found


def heap_bytes(session: CDPSession) -> int:
    """JavaScript heap in use, after a collection of what nobody holds."""
    session.send("HeapProfiler.enable")
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = session.send("Performance.getMetrics")["metrics"]
    return int(next(one["value"] for one in metrics if one["name"] == "JSHeapUsedSize"))
