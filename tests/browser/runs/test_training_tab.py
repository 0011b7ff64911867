"""The Training tab: the log's end, a stall that counts on, ticks, settings, charts as files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, expect

from recede.contract.schemas import RunOut
from recede.contract.spec.run import RunSpec
from recede.contract.states import Lane, State
from recede.store.database.engine import (
    Store,
    open_store,
    sqlite_url,
)
from recede.store.experiments import runs
from recede.store.queue import jobs, lease
from recede.store.queue.lease import Lease
from tests.browser.screen import Watch, next_frame
from tests.service import SMALL_RUN, Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SVG = "{http://www.w3.org/2000/svg}"

BELOW_THE_END = """() => {
  const box = document.getElementById("log-lines");
  return box.lastElementChild.getBoundingClientRect().bottom - box.getBoundingClientRect().bottom;
}"""

TICKS = """(id) => [...document.querySelectorAll(`#${id} .xtick text`)]
  .map((node) => node.textContent)"""

OVERLAPPING = """() => [...document.querySelectorAll(".config .fact")].filter((fact) => {
  const range = document.createRange();
  range.selectNodeContents(fact.querySelector("dt"));
  const { left } = fact.querySelector("dd").getBoundingClientRect();
  return range.getBoundingClientRect().right > left;
}).map((fact) => fact.textContent)"""

SECONDS = """() =>
  Number(/Stalled (\\d+)\\ss/.exec(document.getElementById("run-state").textContent)?.[1])"""

LAST_ROW = """() => {
  const slot = document.createElement("div");
  slot.innerHTML = '<table class="table comparison-table"><tbody><tr>'
    + '<th scope="row">After</th><td class="num">1</td></tr></tbody></table>';
  document.querySelector(".training").append(slot);
  const widths = [...slot.querySelectorAll("tr > *")]
    .map((cell) => getComputedStyle(cell).borderBottomWidth);
  slot.remove();
  return widths;
}"""


def open_training(page: Page, run_id: str) -> None:
    page.goto(f"/runs/{run_id}?tab=training")
    expect(page.locator("#accuracy-chart .xtick text").first).to_be_visible()


def test_follow_shows_the_last_line_also_when_lines_wrap_and_the_window_changes(
    page: Page, run: RunOut
):
    page.set_viewport_size({"width": 420, "height": 800})
    open_training(page, run.id)
    expect(page.locator("#log-lines")).to_contain_text("done")
    expect(page.locator("#log-follow")).to_have_attribute("aria-pressed", "true")
    next_frame(page)
    assert page.evaluate(BELOW_THE_END) <= 0
    page.set_viewport_size({"width": 330, "height": 800})
    next_frame(page)
    assert page.evaluate(BELOW_THE_END) <= 0


@pytest.fixture
def stalled(service: Service) -> Iterator[tuple[Store, Lease]]:
    """A training of a worker on another machine that was last heard of 40 s ago."""
    store = open_store(sqlite_url(service.folder / "data" / "recede.db"))
    spec = RunSpec.model_validate({**SMALL_RUN, "name": "Elsewhere"})
    with store.write() as session:  # at once, so that nobody else may claim it
        created, _ = runs.create(session, spec)
        held = lease.claim(
            session, owner="elsewhere|1|1|1", lanes=[Lane.TRAINING], device="cpu", lease_s=3600
        )
        assert held is not None
        assert held.run_id == created.id
        job = jobs.get(session, held.job_id)
        assert job.heartbeat_at is not None
        job.heartbeat_at -= 40
        job.progress = PROGRESS
    yield store, held
    with store.write() as session:
        lease.finish(session, held, State.CANCELLED)
    store.close()


PROGRESS = {
    "stage": "training", "done": 5, "total": 40, "unit": "batches", "message": "", "eta_s": 77.0,
    "epoch": 1, "epochs": 4, "batch": 5, "batches": 10,
    "loss": 1.5, "accuracy": 0.4, "penalty": 0.1, "images_per_s": 1234.0,
}  # fmt: skip


def test_a_stall_counts_on_in_the_browser_and_no_tile_goes_on_as_if_it_ran(
    page: Page, watch: Watch, stalled: tuple[Store, Lease]
):
    store, held = stalled
    page.goto(f"/runs/{held.run_id}?tab=training")
    expect(page.get_by_test_id("run-state")).to_contain_text("Stalled")
    for tile in ("speed", "eta"):
        expect(page.locator(f"#tile-{tile}")).to_have_text("–")
        expect(page.locator(f"#tile-{tile}-note")).to_have_text("stalled")
    watch.tolerate(r"Failed to load resource")
    page.route("**/api/v1/runs/*", lambda route: route.abort())
    since = page.evaluate(SECONDS)
    assert since >= 40
    page.wait_for_function(f"(since) => ({SECONDS})() >= since + 2", arg=since)
    page.unroute("**/api/v1/runs/*")
    with store.write() as session:
        lease.beat(session, held, PROGRESS)
    expect(page.get_by_test_id("run-state")).to_have_text("Running")
    expect(page.locator("#tile-speed")).to_have_text("1,234")
    expect(page.locator("#tile-eta")).to_have_text("1 min 17 s")
    expect(page.locator("#tile-eta-note")).to_have_text("")


def test_epochs_are_whole_numbers_on_the_axis_also_where_the_chart_is_zoomed(
    page: Page, run: RunOut
):
    open_training(page, run.id)
    for chart in ("loss-chart", "penalty-chart", "accuracy-chart"):
        assert page.evaluate(TICKS, chart) == ["0", "1", "2", "3", "4"]
    page.evaluate(
        "() => window.Plotly.relayout(document.querySelector('#loss-chart .js-plotly-plot'),"
        " {'xaxis.range[0]': 0.9, 'xaxis.range[1]': 2.1})"
    )
    page.wait_for_function(f"() => ({TICKS})('loss-chart').join() === '1,2'")


def test_settings_do_not_overlap_and_the_last_row_of_a_comparison_has_no_line(
    page: Page, run: RunOut
):
    open_training(page, run.id)
    assert page.locator(".config .fact").count() > 10
    assert page.evaluate(OVERLAPPING) == []
    assert page.evaluate(LAST_ROW) == ["0px", "0px"]


def saved(page: Page, chart: str, way: str) -> Path:
    page.get_by_test_id(f"{chart}-save").click()
    with page.expect_download() as download:
        page.get_by_test_id(f"{chart}-{way}").click()
    return Path(download.value.path())


def test_a_chart_is_saved_as_picture_drawing_and_table_at_full_precision(
    page: Page, service: Service, run: RunOut
):
    open_training(page, run.id)
    head, *table = saved(page, "loss-chart", "csv").read_text().splitlines()
    assert head.startswith(f"# Loss · run {run.name} ({run.id}) · epochs 0 to 4 · recede ")
    rows = list(csv.DictReader(StringIO("\n".join(table))))
    told = service.client.epochs(run.id).items
    assert [int(row["epoch"]) for row in rows] == [epoch.epoch for epoch in told]
    for row, epoch in zip(rows, told, strict=True):
        assert float(row["val_loss"]) == epoch.val_loss
        assert (float(row["train_loss"]) if row["train_loss"] else None) == epoch.train_loss
    drawing = saved(page, "accuracy-chart", "svg").read_text()
    assert drawing.startswith("<svg")
    assert f"Accuracy · run {run.name} ({run.id})" in drawing
    assert saved(page, "penalty-chart", "png").read_bytes().startswith(b"\x89PNG\r\n")


def test_the_caption_of_a_saved_chart_shows_a_long_name_whole_and_its_signs_as_they_are(
    page: Page, run: RunOut
):
    open_training(page, run.id)
    field = page.get_by_test_id("run-name")
    name = f"<b>λ & {'w' * 90}"
    field.evaluate(
        "(node, name) => { Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')"
        ".set.call(node, name); }",
        name,
    )
    drawing = ElementTree.fromstring(saved(page, "loss-chart", "svg").read_text())
    lines = [node.text or "" for node in drawing.iter(f"{SVG}tspan")]
    assert len(lines) > 1
    assert name.replace(" ", "") in "".join(lines).replace(" ", "")
    assert f"({run.id})" in "".join(lines)
    assert all(len(line) < 70 for line in lines)


def test_the_menu_that_saves_a_chart_is_closed_with_escape(page: Page, run: RunOut):
    open_training(page, run.id)
    opener = page.get_by_test_id("loss-chart-save")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("loss-chart-csv")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("loss-chart-csv")).to_be_hidden()
    expect(opener).to_be_focused()


def test_files_say_when_they_were_made(page: Page, run: RunOut):
    page.goto(f"/runs/{run.id}?tab=files")
    made = page.get_by_test_id("file-made").first.locator("time")
    expect(made).to_contain_text("created ")
    expect(made).to_have_attribute("title", str(page.evaluate(FULL_TIME)))


FULL_TIME = """() => new Date(1000 * document.querySelector("time[data-made]").dataset.made)
  .toLocaleString("en-GB", { dateStyle: "full", timeStyle: "long" })"""
