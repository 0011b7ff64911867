"""Compare: runs chosen in the table, one ratio for all, seeds as a mean, what differs."""

from __future__ import annotations

import csv
import re
import xml.etree.ElementTree as ET
from importlib import metadata
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from benchmarks.parts.big_run import Size
from recede.contract.schemas import RunOut
from recede.contract.spec.run import RunSpec
from tests.browser import views
from tests.browser.screen import Watch, next_frame
from tests.browser.shell.test_look import expect_to_fit
from tests.service import SMALL_RUN, Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def sibling(service: Service, run: RunOut) -> RunOut:
    """The same configuration as `run`, from another seed."""
    spec = RunSpec.model_validate({**SMALL_RUN, "seed": 7, "name": "Sibling"})
    return service.finished_run(service.client.create_run(spec).run.id)


@pytest.fixture(scope="module")
def fallen(service: Service) -> list[RunOut]:
    """Three made-up runs whose accuracy a cut of 90 % ruins."""
    return [views.made_up(service, Size(neurons, 4, 3)) for neurons in (60, 80, 100)]


def open_compare(page: Page, run: RunOut, sibling: RunOut, query: str = "") -> None:
    page.goto(f"/compare?runs={run.id},{sibling.id}{query}")
    expect(page.get_by_test_id("compare-root")).to_have_attribute("data-state", "ready")
    next_frame(page)


def at_ratio(page: Page, name: str) -> list[str]:
    """What the table says at the shared ratio, one text for each line."""
    next_frame(page)
    return page.get_by_test_id("compare-table").locator(f'td[data-at="{name}"]').all_inner_texts()


def traces(page: Page, name: str) -> Locator:
    """What Plotly has drawn of the accuracies by that name, one for each series."""
    return page.locator(f'#compare-accuracy .trace[class*="trace{name}"]')


def dots(page: Page) -> list[float]:
    next_frame(page)
    found = page.locator("#compare-accuracy .cmp-dot")
    return [float(found.nth(i).get_attribute("data-x")) for i in range(found.count())]


def choose(page: Page, run: RunOut) -> None:
    box = page.get_by_role("row").filter(has_text=run.id).get_by_role("checkbox")
    box.click()
    expect(box).to_be_checked()


def test_runs_are_chosen_in_the_table_and_compared(page: Page, run: RunOut, sibling: RunOut):
    page.set_viewport_size({"width": 1280, "height": 3000})  # rows out of sight do not exist
    page.goto("/")
    choose(page, run)
    choose(page, sibling)
    button = page.get_by_test_id("compare-button")
    expect(button).to_have_text("Compare 2")
    button.click()
    page.wait_for_url(re.compile(r"/compare\?runs="))
    expect(page.locator(".cmp-chip")).to_have_count(2)


def test_a_row_that_is_partly_out_of_sight_is_chosen_by_one_click(page: Page, service: Service):
    made = [views.made_up(service, Size(20, 2, 1)) for _ in range(7)]  # the newest on top
    page.set_viewport_size({"width": 1280, "height": 340})  # room for five rows
    page.goto("/")
    box = page.get_by_role("row").filter(has_text=made[-1].id).get_by_role("checkbox")
    choose(page, made[-2])
    page.locator(".ag-body-viewport").evaluate("node => node.scrollTo(0, 18)")
    next_frame(page)
    before = box.bounding_box()
    page.mouse.move(before["x"] + before["width"] / 2, before["y"] + before["height"] / 2)
    page.mouse.down()  # scrolls the row into sight, away from under the pointer
    assert box.bounding_box()["y"] == before["y"] + 18
    page.mouse.up()
    expect(box).to_be_checked()
    expect(page.get_by_test_id("compare-button")).to_have_text("Compare 2")


def test_the_shared_ratio_moves_a_dot_on_each_line_without_a_request(
    page: Page, watch: Watch, run: RunOut, sibling: RunOut
):
    open_compare(page, run, sibling, "&seeds=apart&x=ratio&r=0.1")
    before, asked = dots(page), len(watch.requests)
    assert len(before) == 2
    slider = page.get_by_test_id("compare-ratio")
    slider.focus()
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    after = dots(page)
    assert all(b > a for a, b in zip(before, after, strict=True))
    assert watch.of_the_page(asked) == []
    expect(page.get_by_test_id("compare-table")).to_contain_text("At 12.0")
    page.wait_for_url(re.compile(r"r=0\.12"))


COUNT_CHANGES = """() => {
  window.changes = 0;
  const count = (found) => { window.changes += found.length; };
  for (const node of document.querySelectorAll(".rc-chart-plot")) {
    const observer = new MutationObserver(count);
    observer.observe(node, { attributes: true, childList: true, subtree: true });
  }
}"""


def test_what_plotly_has_drawn_stays_as_it_is_while_the_ratio_moves(
    page: Page, run: RunOut, sibling: RunOut
):
    open_compare(page, run, sibling, "&seeds=apart&r=0.1")
    expect(page.locator(".rc-chart[data-drawn]")).to_have_count(2)
    next_frame(page)
    before = dots(page)
    page.evaluate(COUNT_CHANGES)
    page.get_by_test_id("compare-ratio").press("PageUp")
    assert dots(page) != before
    assert page.evaluate("window.changes") == 0


def test_the_figures_follow_the_scheme(page: Page, run: RunOut, sibling: RunOut):
    open_compare(page, run, sibling)
    line = traces(page, "line-0").locator("path.js-line")
    expect(line).to_have_css("stroke", "rgb(14, 107, 130)")
    page.get_by_test_id("scheme-dark").click()
    expect(line).to_have_css("stroke", "rgb(85, 185, 206)")


def test_runs_that_differ_in_their_seed_alone_are_one_line_with_a_deviation(
    page: Page, run: RunOut, sibling: RunOut
):
    open_compare(page, run, sibling)
    expect(traces(page, "band-").locator("path.js-fill")).to_have_count(1)
    table = page.get_by_test_id("compare-table")
    expect(table.locator("thead th")).to_have_count(1)
    expect(table).to_contain_text(re.compile(r"Test accuracy, dense.*± \d"))
    page.get_by_role("radio", name="Each run").click()
    expect(traces(page, "line-").locator("path.js-line")).to_have_count(2)
    expect(table.locator("thead th")).to_have_count(2)


def test_the_front_over_macs_and_the_address_keep_what_is_chosen(
    page: Page, run: RunOut, sibling: RunOut
):
    open_compare(page, run, sibling, "&seeds=apart")
    page.get_by_role("radio", name="MACs").click()
    expect(traces(page, "front").locator("path.js-line")).to_have_count(1)
    page.wait_for_url(re.compile("x=macs"))
    page.reload()
    expect(traces(page, "front").locator("path.js-line")).to_have_count(1)
    expect_to_fit(page)


def test_a_run_that_is_gone_is_named_and_the_others_are_shown(
    page: Page, watch: Watch, run: RunOut, sibling: RunOut
):
    watch.tolerate("404")
    page.goto(f"/compare?runs={run.id},gone2345,{sibling.id}")
    expect(page.get_by_role("status").filter(has_text="gone2345")).to_be_visible()
    expect(page.locator(".cmp-chip")).to_have_count(2)


def test_accuracies_below_the_axis_stand_at_its_edge_in_words_beside_each_other(
    page: Page, fallen: list[RunOut]
):
    ids = ",".join(one.id for one in fallen)
    page.goto(f"/compare?runs={ids}&seeds=apart&r=0.9&zoom=1")
    expect(page.get_by_test_id("compare-root")).to_have_attribute("data-state", "ready")
    found = page.locator("#compare-accuracy .cmp-out")
    expect(found).to_have_count(3)
    shown = [one.replace("↓ ", "") for one in found.locator("text").all_text_contents()]
    assert sorted(shown) == sorted(at_ratio(page, "accuracy"))
    boxes = sorted((one.bounding_box() or {} for one in found.all()), key=lambda box: box["x"])
    assert all(a["x"] + a["width"] <= b["x"] for a, b in pairwise(boxes))
    drawing = page.get_by_test_id("compare-accuracy").get_by_role("img")
    said = drawing.get_attribute("aria-label") or ""
    assert said.count("below the axis") == 3
    assert all(one in said for one in shown)
    page.get_by_test_id("compare-ratio").fill("0")
    expect(found).to_have_count(0)
    expect(page.locator("#compare-accuracy .cmp-dot")).to_have_count(3)
    expect(drawing).not_to_have_attribute("aria-label", re.compile("below the axis"))


def test_a_group_has_the_same_numbers_with_units_in_whatever_order_its_runs_are_named(
    page: Page, run: RunOut, sibling: RunOut
):
    told = []
    for pair in ((run, sibling), (sibling, run)):
        open_compare(page, *pair, "&r=0.5&x=macs")
        told.append({name: at_ratio(page, name) for name in ("accuracy", "macs", "params")})
        told[-1]["places"] = [f"{place:.3f}" for place in dots(page)]
    assert told[0] == told[1]
    percent = r"\d+(\.\d+)?\s% ± \d+(\.\d+)?\s%"
    assert re.fullmatch(percent, told[0]["accuracy"][0])
    assert re.search(rf"\({percent}\)", told[0]["macs"][0] + told[0]["params"][0])
    marks = page.locator("#compare-distribution .cmp-dot[data-value]")
    expect(marks).to_have_count(2)  # each seed is cut at its own threshold


def test_the_signs_of_the_figures_are_told_in_words(page: Page, run: RunOut, sibling: RunOut):
    open_compare(page, run, sibling, "&x=macs")
    signs = page.get_by_role("list", name="What the signs mean").first
    for words in ("shared ratio", "front", "standard deviation over seeds", "beyond the axis"):
        expect(signs).to_contain_text(words)
    page.get_by_role("radio", name="Neurons").click()
    expect(signs).not_to_contain_text("front")


@pytest.mark.parametrize("figure", ["accuracy", "importances"])
def test_the_figures_are_saved_as_picture_drawing_and_table(
    page: Page, run: RunOut, sibling: RunOut, figure: str
):
    open_compare(page, run, sibling, "&r=0.5&x=macs")
    assert saved(page, figure, "png").read_bytes().startswith(b"\x89PNG")
    text = saved(page, figure, "svg").read_text()
    drawing = ET.fromstring(text)
    assert len(list(drawing.iter())) > 20
    assert "var(--" not in text  # it needs no styles of the page
    text = " ".join(" ".join(drawing.itertext()).split())
    head, *lines = saved(page, figure, "csv").read_text().splitlines()
    for one in (run.id, sibling.id, "ratio 0.5", f"recede {metadata.version('recede')}"):
        assert one in head
        assert one in text
    rows = list(csv.DictReader(lines))
    cuts = [row for row in rows if row["kind"] in ("shared ratio", "threshold")]
    assert {row["runs"] for row in cuts} == {run.id, sibling.id}
    assert len(rows) > 20


def saved(page: Page, figure: str, kind: str) -> Path:
    page.locator(f"#compare-{figure}-export summary").click()
    with page.expect_download() as download:
        page.get_by_test_id(f"compare-{figure}-{kind}").click()
    assert download.value.suggested_filename.endswith(f"-{figure}-ratio-0.5.{kind}")
    return Path(download.value.path())


def test_the_table_of_the_accuracies_has_every_digit_of_the_api(
    page: Page, service: Service, run: RunOut, sibling: RunOut
):
    open_compare(page, run, sibling, "&r=0.5")
    rows = list(csv.DictReader(saved(page, "accuracy", "csv").read_text().splitlines()[1:]))
    found = [row for row in rows if row["kind"] == "curve" and row["runs"] == run.id]
    points = service.client.curve(run.id).points
    wanted = sorted((one.ratio, one.accuracy.value, one.cost.macs) for one in points)
    read = [(float(row["ratio"]), float(row["accuracy"]), int(row["macs"])) for row in found]
    assert sorted(read) == wanted
