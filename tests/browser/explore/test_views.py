"""The views below the distribution: one selection, the numbers of the API, nothing asked early."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from recede.contract.cut.selection import importances
from recede.contract.schemas import RunOut
from tests.browser import views
from tests.browser.screen import (
    EXPLORE,
    Watch,
    choices,
    explore_is_ready,
    next_frame,
    numbers,
    open_explore,
    tab_to,
)
from tests.browser.views import opened, small_run
from tests.service import Service

__all__ = ["opened", "small_run"]

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def percent(words: str) -> float:
    """The first number of "37.5 % (24 of 64)"."""
    found = re.search(r"[\d.]+", words)
    assert found is not None
    return float(found.group())


@pytest.mark.parametrize("big", ["no", "yes"])
def test_whatever_view_is_open_the_main_loop_stays_in_sight(page: Page, run: RunOut, big: str):
    open_explore(page, run.id, f"&big={big}")
    for view in views.VIEWS:
        page.get_by_test_id(f"view-tab-{view}").click()
        expect(page.get_by_test_id(f"view-tab-{view}")).to_have_attribute("aria-selected", "true")
        for test_id in ("distribution", "ratio-slider", "cost-macs", "prune-button"):
            expect(page.get_by_test_id(test_id)).to_be_in_viewport(ratio=1)
        expect(page.get_by_test_id("layer-list")).to_be_in_viewport()
        scrolls = page.evaluate("document.documentElement.scrollHeight > innerHeight")
        assert not scrolls


def test_a_view_is_one_key_away_and_the_address_remembers_it(explore: Page):
    selected = explore.locator("#view-tabs [aria-selected=true]")
    expect(selected).to_have_text("Curve")
    explore.keyboard.press("v")
    expect(selected).to_have_text("Layers")
    explore.keyboard.press("b")
    explore.wait_for_url(re.compile(r"view=heat&big=yes"))
    explore.reload()
    explore_is_ready(explore)
    expect(selected).to_have_text("Layers")
    expect(explore.get_by_test_id("view-big")).to_have_attribute("aria-pressed", "true")
    explore.keyboard.press("Shift+V")
    expect(selected).to_have_text("Curve")
    tab_to(explore, explore.get_by_test_id("view-tab-curve"))
    explore.keyboard.press("ArrowRight")
    expect(explore.get_by_test_id("view-tab-heat")).to_be_focused()
    expect(selected).to_have_text("Layers")


def test_a_view_asks_for_its_data_only_when_it_is_seen(explore: Page, watch: Watch):
    def asked() -> list[str]:
        return [url for url in watch.urls() if re.search(r"/api/.*(/layers|/map)", url)]

    assert asked() == []
    views.show(explore, "heat")
    assert len(asked()) == 1
    views.show(explore, "map")
    assert len(asked()) == 2


def test_the_heatmap_says_of_each_cell_what_the_api_says(
    explore: Page, service: Service, run: RunOut
):
    told = service.client.layers(run.id, below=0.1)
    groups = service.client.network(run.id).groups
    views.show(explore, "heat")
    panel = explore.get_by_test_id("view-heat")
    expect(panel).to_have_attribute("data-epochs", str(len(told.epochs)))
    for epoch, layer in [(0, 0), (4, 0), (4, 3), (2, len(groups) - 1)]:
        said = views.point_at(explore, "heat", epoch, layer)
        size = groups[layer].size
        assert said["title"] == groups[layer].name
        assert (said["epoch"], said["n"]) == (str(told.epochs[epoch]), f"{size:,}")
        count = round(float(told.values[epoch, layer]) * size)
        assert f"({count:,} of {size:,})" in said["receded"]


def test_a_click_in_the_heatmap_selects_layer_and_epoch_everywhere(explore: Page):
    views.show(explore, "heat")
    views.click(explore, "heat", 2, 3)
    expect(explore.get_by_test_id("epoch-label")).to_have_attribute("data-value", "2")
    chosen = choices(explore)
    assert chosen["epoch"] == "2"
    row = explore.locator("li.rx-layer[data-selected]")
    expect(row).to_have_count(1)
    expect(row).to_have_attribute("data-layer", str(chosen["layer"]))
    explore.wait_for_url(re.compile(rf"layer={chosen['layer']}"))
    expect(explore.get_by_test_id("distribution")).to_have_attribute(
        "aria-label", re.compile(rf"of {re.escape(chosen['layer'])} at epoch 2")
    )


def test_the_heatmap_is_walked_with_arrow_keys_and_chosen_with_enter(explore: Page):
    views.show(explore, "heat")
    tab_to(explore, explore.get_by_test_id("heat-plot"))
    for key in ("ArrowLeft", "ArrowLeft", "ArrowDown"):
        explore.keyboard.press(key)
    said = views.tip(explore, "heat")
    explore.keyboard.press("Enter")
    chosen = choices(explore)
    assert (chosen["layer"], chosen["epoch"]) == (said["title"], said["epoch"])
    explore.keyboard.press("Escape")
    expect(explore.get_by_test_id("heat-tip")).to_be_hidden()


def test_kept_by_the_threshold_follows_the_line_and_asks_for_nothing(
    explore: Page, service: Service, run: RunOut, watch: Watch
):
    views.show(explore, "heat")
    explore.get_by_test_id("heat-measure").select_option("kept")
    expect(explore.get_by_test_id("view-heat")).to_have_attribute("data-measure", "kept")
    explore.get_by_test_id("threshold-input").fill("0.5")
    views.is_drawn(explore, "heat")
    before, since = views.drawn(explore, "heat"), len(watch.requests)
    shape = service.client.network(run.id)
    for threshold in (0.02, 0.9):
        explore.get_by_test_id("threshold-input").fill(str(threshold))
        part = shape.split(service.client.snapshot(run.id, 4))[2]
        exact = 100 * float((importances(part, shape.scale) > threshold).mean())
        said = views.point_at(explore, "heat", 4, 2)
        assert percent(said["kept"]) == pytest.approx(exact, abs=8)  # in proportion within a bin
    assert views.drawn(explore, "heat") != before
    assert [url for url in watch.of_the_page(since) if "/layers" in url] == []


def test_median_and_bimodality_are_the_numbers_of_the_api(
    explore: Page, service: Service, run: RunOut
):
    views.show(explore, "heat")
    for measure in ("median", "bimodality"):
        explore.get_by_test_id("heat-measure").select_option(measure)
        expect(explore.get_by_test_id("view-heat")).to_have_attribute("data-measure", measure)
        views.is_drawn(explore, "heat")
        told = service.client.layers(run.id, measure=measure)  # type: ignore[arg-type]
        said = views.point_at(explore, "heat", 3, 1)
        assert float(said[measure]) == pytest.approx(float(told.values[3, 1]), rel=6e-3)


def test_a_neuron_is_shown_with_its_importance_rank_and_history(
    explore: Page, service: Service, run: RunOut
):
    shape = service.client.network(run.id)
    group = shape.groups[2]
    explore.get_by_test_id("view-tab-neurons").click()
    words = explore.get_by_test_id("neurons-words")
    expect(words).to_contain_text("one layer at a time")
    words.get_by_role("button").click()  # shows the first layer
    expect(explore.get_by_test_id("view-neurons")).to_have_attribute("data-state", "ready")
    explore.get_by_test_id(f"layer-{group.name}").locator(".rx-layer-main").click()
    panel = explore.get_by_test_id("view-neurons")
    expect(panel).to_have_attribute("data-neurons", str(group.size))
    epoch = int(choices(explore)["epoch"])
    known = importances(shape.split(service.client.snapshot(run.id, epoch))[2], shape.scale)
    channel = int(np.argmax(known))
    said = views.point_at(explore, "neurons", channel)
    assert said["title"] == f"{group.name} · channel {channel}"
    assert float(said["σ(w)"]) == pytest.approx(float(known[channel]), rel=1e-3)
    assert said["rank in layer"] == f"{group.size} of {group.size}"
    spark = explore.locator("#neurons-tip canvas")
    expect(spark).to_have_attribute("aria-label", re.compile(r"at epoch 0 to .* at epoch 4"))


def test_a_neuron_is_pinned_with_a_click_and_walked_with_the_keyboard(explore: Page, run: RunOut):
    name = explore.locator("#layer-list li.rx-layer").nth(2).get_attribute("data-layer")
    open_explore(explore, run.id, f"&view=neurons&layer={name}")
    views.is_drawn(explore, "neurons")
    views.click(explore, "neurons", 1)
    panel = explore.get_by_test_id("view-neurons")
    expect(panel).to_have_attribute("data-pinned", re.compile(r"\d+"))
    explore.mouse.move(5, 5)
    assert "pinned" in views.tip(explore, "neurons")  # it stays when the pointer goes
    plot = explore.get_by_test_id("neurons-plot")
    tab_to(explore, plot)
    first = views.tip(explore, "neurons")
    explore.keyboard.press("ArrowRight")
    second = views.tip(explore, "neurons")
    rank = [int(one["rank in layer"].split()[0]) for one in (first, second)]
    assert rank[1] - rank[0] in (0, 1)
    explore.keyboard.press("Escape")
    explore.keyboard.press("Escape")
    expect(panel).not_to_have_attribute("data-pinned", re.compile(r"\d+"))


def test_neurons_change_their_sign_with_the_line(explore: Page, run: RunOut):
    name = explore.locator("#layer-list li.rx-layer").nth(2).get_attribute("data-layer")
    open_explore(explore, run.id, f"&view=neurons&layer={name}&t=0")
    views.is_drawn(explore, "neurons")
    assert views.point_at(explore, "neurons", 0)["cut"] == "kept ●"
    explore.get_by_test_id("threshold-input").fill("1")
    assert numbers(explore)["removed"] > 0
    signs = explore.evaluate(
        f"""async () => {{
          const app = await {EXPLORE};
          const view = app.views.panels.find((panel) => panel.id === "neurons");
          return [...view.placed.x.keys()].filter((i) => view.gone()(i)).length;
        }}"""
    )
    row = explore.locator("li.rx-layer[data-selected]")
    gone = int(row.get_attribute("data-size") or 0) - int(row.get_attribute("data-kept") or 0)
    assert signs == gone > 0
    next_frame(explore)
