"""The receding to be seen, the map, the front, what is saved and what the words mean."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from benchmarks.parts.big_run import Size
from recede.contract.schemas import RunOut
from tests.browser import views
from tests.browser.conftest import Opener
from tests.browser.screen import (
    EXPLORE,
    Watch,
    choices,
    everything_is_loaded,
    next_frame,
    open_explore,
    picture,
    tab_to,
)
from tests.browser.views import opened, small_run
from tests.service import Service
from tests.worker_process import eventually

__all__ = ["opened", "small_run"]

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOTION = f"async () => (await {EXPLORE}).motion"


def plot(page: Page) -> Locator:
    return page.locator("#explore-plot")


def test_the_natural_gap_is_that_of_the_api_at_every_epoch_and_layer(
    explore: Page, service: Service, run: RunOut
):
    items = service.client.polarisation(run.id, layers=True).items
    found = set()
    slider = explore.get_by_test_id("epoch-slider")
    for item in items:
        slider.fill(str(item.epoch))
        next_frame(explore)
        shown = plot(explore).get_attribute("data-gap")
        assert (None if shown is None else float(shown)) == item.overall.valley
        found.add(shown)
    assert len(found) > 1  # it moves
    name, last = next(iter((items[-1].layers or {}).items()))
    explore.get_by_test_id(f"layer-{name}").locator(".rx-layer-main").click()
    next_frame(explore)
    shown = plot(explore).get_attribute("data-gap")
    assert (None if shown is None else float(shown)) == last.valley


def test_a_key_leads_to_the_natural_gap_and_two_keys_to_the_runs(
    explore: Page, service: Service, run: RunOut
):
    gap = service.client.polarisation(run.id).items[-1].overall.valley
    assert gap is not None
    explore.keyboard.press("g")
    expect(explore.get_by_test_id("threshold-line")).to_have_attribute("data-by", "threshold")
    assert float(str(choices(explore)["threshold"])) == pytest.approx(gap)
    explore.keyboard.type("gr")
    explore.wait_for_url(re.compile(r"/$"))


def test_play_moves_the_picture_between_epochs_and_ends_at_the_last(explore: Page):
    explore.get_by_test_id("play-speed").select_option("0.25")
    explore.get_by_test_id("epoch-slider").fill("0")
    still = picture(explore)
    explore.get_by_test_id("epoch-play").click()
    eventually(
        lambda: explore.evaluate(f"async () => (await {EXPLORE}).motion?.f > 0"),
        "the way to the next epoch",
    )
    between = picture(explore)
    assert between != still
    assert picture(explore) != between  # it goes on within one epoch
    explore.get_by_test_id("play-speed").select_option("4")
    expect(explore.get_by_test_id("epoch-play")).to_have_attribute("aria-label", "Play all epochs")
    expect(explore.get_by_test_id("epoch-label")).to_have_attribute("data-value", "4")
    assert explore.evaluate(MOTION) is None


def test_space_plays_and_pauses(explore: Page):
    play = explore.get_by_test_id("epoch-play")
    explore.get_by_test_id("play-speed").select_option("0.25")
    explore.locator("h3.rx-epoch").click()
    explore.keyboard.press("Space")
    expect(play).to_have_attribute("aria-pressed", "true")
    explore.keyboard.press("Space")
    expect(play).to_have_attribute("aria-pressed", "false")


def test_nothing_moves_between_epochs_for_people_who_want_no_motion(new_tab: Opener, run: RunOut):
    page = new_tab(reduced_motion="reduce")
    open_explore(page, run.id, "&epoch=2&speed=4")
    page.get_by_test_id("epoch-play").click()
    expect(page.get_by_test_id("epoch-label")).to_have_attribute("data-value", "3")
    assert not page.evaluate(MOTION)
    expect(page.get_by_test_id("epoch-label")).to_have_attribute("data-value", "4")


def test_the_map_says_what_was_measured_and_a_click_sets_epoch_and_ratio(
    explore: Page, service: Service, run: RunOut
):
    points = service.client.prunability(run.id, scope="global").points
    views.show(explore, "map")
    panel = explore.get_by_test_id("view-map")
    expect(panel).to_have_attribute("data-points", str(len(points)))
    wanted = next(one for one in points if one.epoch == 3 and one.ask == 0.6)
    said = views.point_at(explore, "map", 3, 10)
    assert said["title"] == "Epoch 3, ratio 60 %"
    value = 100 * wanted.accuracy.value
    assert float(said["accuracy"].split("\u202f")[0]) == pytest.approx(value, abs=0.051)
    assert said["kind"] == "estimated, n = 600"
    views.click(explore, "map", 3, 10)
    chosen = choices(explore)
    assert (chosen["epoch"], float(str(chosen["ratio"]))) == ("3", 0.6)
    tab_to(explore, explore.get_by_test_id("map-plot"))
    explore.keyboard.press("ArrowDown")
    explore.keyboard.press("Enter")
    assert float(str(choices(explore)["ratio"])) == pytest.approx(0.54)


def test_a_map_that_was_not_measured_says_so(page: Page, run: RunOut):
    open_explore(page, run.id, "&view=map&scope=local")
    words = page.get_by_test_id("map-words")
    expect(words).to_contain_text("No map was measured")
    page.get_by_test_id("scope-toggle").get_by_role("radio", name="Global").click()
    views.is_drawn(page, "map")


def test_the_front_has_a_dot_for_each_measured_cut_and_a_click_goes_there(
    explore: Page, service: Service, run: RunOut, watch: Watch
):
    views.show(explore, "pareto")
    panel = explore.get_by_test_id("view-pareto")
    cuts = [*service.client.evaluations(run.id).items, *service.client.curve(run.id).points]
    known = {(one.epoch, one.digest) for one in cuts}
    expect(panel).to_have_attribute("data-dots", str(len(known)))
    said = views.point_at(explore, "pareto", 4)
    views.click(explore, "pareto", 4)
    removed = explore.get_by_test_id("removed-count")
    shown = 100 * float(removed.get_attribute("data-ratio") or "nan")
    assert said["title"] == f"{shown:.1f}\u202f% removed"
    before, since = views.drawn(explore, "pareto"), len(watch.requests)
    explore.get_by_test_id("ratio-slider").press("PageUp")
    assert views.drawn(explore, "pareto") != before  # the live dot has moved
    explore.get_by_test_id("pareto-cost").select_option("params")
    assert "Params" in views.point_at(explore, "pareto", 4)
    assert [url for url in watch.of_the_page(since) if "/evaluate" not in url] == []


def test_explore_asks_for_plotly_when_its_first_chart_is_opened(explore: Page, watch: Watch):
    everything_is_loaded(explore)
    assert not [url for url in watch.urls() if "plotly.min.js" in url]
    views.show(explore, "pareto")
    chart = explore.locator("#pareto-plot .rc-chart")
    expect(chart).to_have_attribute("data-drawn", "")
    expect(chart.locator(".tracefront path.js-line")).to_have_count(1)
    assert len([url for url in watch.urls() if "plotly.min.js" in url]) == 1


def test_every_view_is_saved_as_picture_drawing_and_table(page: Page, run: RunOut):
    open_explore(page, run.id, "&r=0.5&layer=features.3")
    expect(page.locator("#curve path")).not_to_have_count(0)
    for figure in ("distribution", "curve"):
        _is_saved_in_every_way(page, run, figure)
    for view in ("heat", "neurons", "map", "pareto"):
        views.show(page, view)
        _is_saved_in_every_way(page, run, "view")


def _is_saved_in_every_way(page: Page, run: RunOut, menu: str) -> None:
    saved = {kind: _save(page, kind, menu) for kind in ("png", "svg", "csv")}
    assert saved["png"].read_bytes().startswith(b"\x89PNG")
    drawing = ET.fromstring(saved["svg"].read_text())
    assert len(list(drawing.iter())) > 20
    assert run.id in saved["svg"].read_text()
    head, *lines = saved["csv"].read_text().splitlines()
    assert all(part in head for part in (run.id, "epoch 4", "recede"))
    assert len(lines) > 10


def _save(page: Page, kind: str, menu: str = "view") -> Path:
    page.locator(f"#{menu}-export summary").click()
    with page.expect_download() as download:
        page.get_by_test_id(f"{menu}-{kind}").click()
    assert download.value.suggested_filename.endswith(f"-epoch-4.{kind}")
    return Path(download.value.path())


def test_the_table_of_the_heatmap_has_every_digit(page: Page, service: Service, run: RunOut):
    open_explore(page, run.id, "&view=heat")
    views.is_drawn(page, "heat")
    lines = _save(page, "csv").read_text().splitlines()[1:]
    rows = list(csv.DictReader(io.StringIO("\n".join(lines))))
    told = service.client.layers(run.id, below=0.1)
    assert [float(row["receded"]) for row in rows] == told.values.ravel().tolist()


def test_a_term_explains_itself_with_formula_and_source(explore: Page):
    views.show(explore, "heat")
    sign = explore.get_by_test_id("view-heat").get_by_role("button", name="What is this?")
    card = explore.get_by_test_id("term-card")
    sign.hover()
    expect(card).to_contain_text("importance(c) < 0.1")
    explore.mouse.move(5, 5)
    expect(card).to_be_hidden()
    tab_to(explore, sign)
    expect(card).to_be_visible()
    explore.keyboard.press("Escape")
    expect(card).to_be_hidden()


@pytest.mark.parametrize("size", [Size(60, 2, 3), Size(3000, 20, 110)])
def test_few_and_many_layers_are_drawn(page: Page, service: Service, size: Size):
    made = views.made_up(service, size)
    open_explore(page, made.id, "&view=heat")
    views.is_drawn(page, "heat")
    panel = page.get_by_test_id("view-heat")
    expect(panel).to_have_attribute("data-epochs", str(size.epochs + 1))
    said = views.point_at(page, "heat", size.epochs, size.layers - 1)
    assert said["title"] == f"features.{3 * (size.layers - 1)}"
    description = page.get_by_test_id("heat-canvas").get_attribute("aria-label") or ""
    assert re.search(rf"{size.layers} layers over {size.epochs + 1} epochs", description)
