"""The page at its limits: drag, scrub, loading, weight, 1,000 runs, memory, in a real chromium.

Absolute times hold for one machine only, so each is also printed as a multiple of one bare canvas
redraw and of one bare Plotly relayout, measured in the same tab of the same session.

    python -m benchmarks.browser [--quick] [--minutes 10] [--n 200] [--only PART …]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.parts import report
from benchmarks.parts.big_run import PUBLISHED, Size, make
from benchmarks.parts.page import live_feed, probe
from benchmarks.parts.service import service
from recede.contract.spec.run import RunSpec
from recede.contract.states import State
from recede.store.database.engine import (
    Store,
    open_store,
    sqlite_url,
)
from recede.store.experiments import runs

LARGE = Size()
LIVE = Size(neurons=4224, layers=13)
PARTS = ("hand", "load", "runs", "memory")
RUNS = 1000
BARS = 128
SETTLED_SHARE = 0.2  # of the time with live updates, after which the memory is first read


def main() -> None:
    """Make the runs, open the page and print a line for each budget."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        with service(data):  # creates the store
            pass
        store = open_store(sqlite_url(data / "recede.db"))
        made = {size: make(store, size) for size in (PUBLISHED, LARGE)}
        with service(data) as client, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            print(f"{report.machine()}, chromium {browser.version}, n = {options.n}\n")
            url, parts = str(client.url), options.only or PARTS
            for size, run_id in made.items() if "hand" in parts else ():
                _interactions(browser, url, run_id, size, options.n)
            if "load" in parts:
                _loading(browser, url, made[PUBLISHED], 5 if options.quick else 20)
            if "runs" in parts:
                _many_runs(browser, url, store)
            if "memory" in parts:
                _memory(browser, url, store, 60 * options.minutes)
            browser.close()
        store.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=200, help="interactions of each kind")
    parser.add_argument("--minutes", type=float, default=10.0, help="of live updates")
    parser.add_argument("--quick", action="store_true", help="n 40, one minute: a first look")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="some of the parts")
    options = parser.parse_args()
    if options.quick:
        options.n, options.minutes = 40, 1.0
    return options


def _interactions(browser: Browser, url: str, run_id: str, size: Size, n: int) -> None:
    page = probe.new_tab(browser, url)
    page.goto(f"/runs/{run_id}?tab=training")  # the charts there bring Plotly
    page.wait_for_function("window.Plotly")
    page.get_by_role("tab", name="Explore").click()
    page.wait_for_selector(probe.READY)
    page.wait_for_load_state("networkidle")
    canvas = page.evaluate(probe.BARE_CANVAS, {"n": n, "bars": BARS})
    plotly = page.evaluate(probe.BARE_PLOTLY, {"n": min(n, 60), "bars": BARS})
    print(f"{size.neurons:,} neurons × {size.epochs} epochs")
    _line("  bare canvas redraw", canvas, canvas, plotly)
    _line("  bare Plotly relayout", plotly, canvas, plotly)
    asked = _requests(page)
    ratios = [0.01 + 0.97 * ((i * 61) % n) / n for i in range(n)]
    _line("  slider to all redrawn", probe.steps(page, "#ratio-slider", ratios), canvas, plotly)
    _line("  line dragged in the chart", probe.drag(page, n), canvas, plotly)
    epochs = [(i * 61) % size.epochs for i in range(n)]
    _line("  epoch scrubbed", probe.steps(page, "#epoch-slider", epochs), canvas, plotly)
    print(f"  requests meanwhile: {len(asked)}", *sorted(set(asked))[:3], "\n")
    page.context.close()


def _requests(page: Page) -> list[str]:
    """Filled with what the page asks for from now on, but its regular look at the workers."""
    asked: list[str] = []

    def note(url: str) -> None:
        if not url.endswith("/workers"):
            asked.append(url)

    page.on("request", lambda request: note(request.url))
    return asked


def _line(
    name: str, taken_ms: Sequence[float], canvas: Sequence[float], plotly: Sequence[float]
) -> None:
    seconds = [one / 1000 for one in taken_ms]
    ratios = [report.ratio(taken_ms, bare) for bare in (canvas, plotly)]
    print(
        f"{name:<28} {report.spread(seconds):>24} ms, p95 {probe.p95(taken_ms):6.1f} ms; "
        f"{ratios[0]:.2f} × canvas, {ratios[1]:.2f} × Plotly"
    )


def _loading(browser: Browser, url: str, run_id: str, n: int) -> None:
    cold, warm, wires = [], [], {}
    for _ in range(n):
        page = probe.new_tab(browser, url)
        cold.append(probe.open_explore(page, run_id))
        warm.append(probe.open_explore(page, run_id))
        page.context.close()
    for path in ("/", f"/runs/{run_id}?tab=explore", f"/runs/{run_id}?tab=training"):
        page = probe.new_tab(browser, url)
        wire = probe.Wire()
        wire.listen(page.context.new_cdp_session(page))
        page.goto(path, wait_until="networkidle")
        wires[path.partition("tab=")[2] or "runs"] = wire
        page.context.close()
    for state, seconds in (("an empty cache", cold), ("a cache that holds it", warm)):
        middle, high = report.spread(seconds, 1), probe.p95(seconds)
        print(f"Explore to interactive with {state}, n = {n}: {middle} s, p95 {high:.2f} s")
    for name, wire in wires.items():
        page_mb = (wire.total - wire.data) / 1e6
        print(
            f"  {name:<9} page {page_mb:.2f} MB over the wire, of it "
            f"{page_mb - wire.charts / 1e6:.2f} MB before charts; data {wire.data / 1e6:.2f} MB"
        )
    print()


def _many_runs(browser: Browser, url: str, store: Store) -> None:
    spec = RunSpec(dataset="digits", architecture="vgg11", method="rni")
    for i in range(RUNS):
        with store.write() as session:
            run, job = runs.create(session, spec.model_copy(update={"name": f"Run {i}"}))
            job.state = run.state = State.CANCELLED.value
    page = probe.new_tab(browser, url)
    page.goto("/", wait_until="networkidle")
    cursors, paths = "/api/v1/runs?limit=50", []
    while True:
        paths.append(cursors)
        following = page.evaluate(
            "async (path) => (await (await fetch(path)).json()).next", cursors
        )
        if following is None:
            break
        cursors = f"/api/v1/runs?limit=50&cursor={following}"
    taken = page.evaluate(probe.FETCHES, paths * 5)
    middle = report.spread([one / 1000 for one in taken])
    n = len(taken)
    print(f"{RUNS} runs, a page of 50, n = {n}: {middle} ms, p95 {probe.p95(taken):.1f} ms\n")
    page.context.close()


def _memory(browser: Browser, url: str, store: Store, seconds: float) -> None:
    epochs = max(5, round(seconds / 5))
    run_id = live_feed.begin(store, LIVE, epochs)
    page = probe.new_tab(browser, url)
    probe.open_explore(page, run_id)
    session = page.context.new_cdp_session(page)
    feeder = threading.Thread(target=live_feed.feed, args=(store, run_id, LIVE, epochs, seconds))
    feeder.start()
    page.wait_for_timeout(1000 * SETTLED_SHARE * seconds)
    early = probe.heap_bytes(session)
    while feeder.is_alive():
        page.wait_for_timeout(1000)
    late = probe.heap_bytes(session)
    print(
        f"{seconds / 60:.1f} minutes of live updates, {epochs} epochs: heap {early / 1e6:.1f} MB "
        f"after {SETTLED_SHARE:.0%} of the time, {late / 1e6:.1f} MB at the end "
        f"({late / early - 1:+.1%})"
    )
    page.context.close()


if __name__ == "__main__":
    main()
