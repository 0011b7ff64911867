"""Explore: scrubbing, the line and the controls; what is shown equals what the server computes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from recede.contract.schemas import RunOut
from recede.contract.spec.run import Plan
from tests.browser.screen import (
    Watch,
    choices,
    drag_line,
    next_frame,
    numbers,
    open_explore,
    picture,
    value,
)
from tests.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def explore(page: Page, run: RunOut) -> Page:
    open_explore(page, run.id)
    page.wait_for_load_state("networkidle")  # the trail of the gap needs every snapshot
    return page


def plan_of(page: Page) -> Plan:
    """What is chosen on the page, as the API takes it."""
    chosen = choices(page)
    epoch = int(chosen["epoch"])
    if chosen["by"] == "threshold":
        return Plan(epoch=epoch, threshold=float(chosen["threshold"]))
    return Plan(epoch=epoch, scope=chosen["scope"], ratio=float(chosen["ratio"]))


def expect_server_agrees(page: Page, service: Service, run: RunOut) -> None:
    """Neurons, parameters, MACs and each layer are exactly what POST /preview says."""
    shown = numbers(page)
    preview = service.client.preview(run.id, plan_of(page))
    assert shown == {
        "removed": preview.removed,
        "params": preview.cost.params,
        "macs": preview.cost.macs,
        "kept": preview.kept,
    }


USABLE = """
window.usable = [];
new MutationObserver(() => {
  const slider = document.querySelector('[data-testid="ratio-slider"]');
  if (slider && window.usable.at(-1) !== !slider.disabled) window.usable.push(!slider.disabled);
}).observe(document, { subtree: true, childList: true, attributes: true });
"""


def test_no_ratio_can_be_chosen_until_there_is_something_to_cut(page: Page, run: RunOut):
    page.add_init_script(USABLE)
    open_explore(page, run.id)
    assert page.evaluate("window.usable") == [False, True]


def test_explore_is_the_first_tab_of_a_finished_run_and_opens_on_a_trained_epoch(
    page: Page, run: RunOut
):
    page.goto(f"/runs/{run.id}")
    expect(page.get_by_role("tab", name="Explore")).to_have_attribute("aria-selected", "true")
    label = page.get_by_test_id("epoch-label")
    expect(label).to_have_attribute("data-value", str(run.best_epoch))
    expect(label).to_have_text(f"Epoch {run.best_epoch} of 4")


def test_scrubbing_with_the_keyboard_shows_another_distribution_for_each_epoch(explore: Page):
    explore.get_by_test_id("epoch-slider").focus()
    explore.keyboard.press("End")
    last = picture(explore)
    explore.keyboard.press("Home")
    first = picture(explore)
    expect(explore.get_by_test_id("epoch-label")).to_have_text("Epoch 0 of 4")
    assert first != last
    explore.keyboard.press("ArrowRight")
    expect(explore.get_by_test_id("epoch-label")).to_have_text("Epoch 1 of 4")
    assert picture(explore) not in (first, last)
    explore.keyboard.press("End")
    assert picture(explore) == last


def test_scrubbing_asks_for_nothing_but_each_snapshot_once(explore: Page, watch: Watch):
    since = len(watch.requests)
    slider = explore.get_by_test_id("epoch-slider")
    slider.focus()
    for key in ["Home", *["ArrowRight"] * 4, *["ArrowLeft"] * 4, "End"]:
        explore.keyboard.press(key)
        next_frame(explore)
    expect(slider).to_have_attribute("data-value", "4")
    asked = watch.of_the_page(since)
    assert [url for url in asked if not re.search(r"/snapshots/\d+$", url)] == []
    snapshots = [url for url in watch.urls() if re.search(r"/snapshots/\d+$", url)]
    assert len(snapshots) == len(set(snapshots))


def test_the_axis_can_be_linear_or_logit(explore: Page):
    toggle = explore.get_by_test_id("axis-toggle")
    expect(toggle).to_have_attribute("data-value", "logit")
    logit = picture(explore)
    toggle.get_by_role("radio", name="linear").click()
    expect(toggle).to_have_attribute("data-value", "sigma")
    assert picture(explore) != logit
    toggle.get_by_role("radio", name="logit").click()
    assert picture(explore) == logit


def test_dragging_the_line_changes_the_cut_without_any_request(
    explore: Page, service: Service, run: RunOut, watch: Watch
):
    line = explore.get_by_test_id("threshold-line")
    before, at, drawn = numbers(explore), value(line), picture(explore)
    since = len(watch.requests)
    drag_line(explore, 60)
    assert watch.of_the_page(since) == []
    after = numbers(explore)
    assert value(line) > at
    assert after["removed"] > before["removed"]
    assert after["params"] < before["params"]
    assert after["macs"] < before["macs"]
    assert picture(explore) != drawn
    expect_server_agrees(explore, service, run)
    drag_line(explore, -150)
    assert numbers(explore)["removed"] < before["removed"]
    expect_server_agrees(explore, service, run)


def test_numbers_for_a_ratio_equal_the_servers(explore: Page, service: Service, run: RunOut):
    for percent in ("0", "12.5", "33.3", "60", "87.6", "99", "99.99"):
        explore.get_by_test_id("ratio-input").fill(percent)
        assert plan_of(explore).ratio == pytest.approx(float(percent) / 100, abs=1e-12)
        expect_server_agrees(explore, service, run)


def test_numbers_for_a_threshold_equal_the_servers(explore: Page, service: Service, run: RunOut):
    for threshold in ("0", "0.001", "0.27", "0.5", "0.93", "1"):
        explore.get_by_test_id("threshold-input").fill(threshold)
        assert plan_of(explore).threshold == float(threshold)
        expect_server_agrees(explore, service, run)


def test_the_ratio_slider_moves_with_keys_and_the_line_follows(
    explore: Page, service: Service, run: RunOut
):
    slider, line = explore.get_by_test_id("ratio-slider"), explore.get_by_test_id("threshold-line")
    slider.focus()
    seen = []
    for key in ["Home", "PageUp", "PageUp", "ArrowRight", "PageUp"]:
        explore.keyboard.press(key)
        seen.append((numbers(explore)["removed"], value(slider), value(line)))
        expect_server_agrees(explore, service, run)
    assert seen == sorted(seen)
    assert seen[0][:2] == (0, 0)
    assert seen[-1][0] > 0


def test_the_same_ratio_in_every_layer_equals_the_servers_local_cut(
    explore: Page, service: Service, run: RunOut
):
    explore.get_by_test_id("ratio-input").fill("40")
    everywhere = numbers(explore)
    explore.get_by_test_id("scope-toggle").get_by_role("radio", name="Local").click()
    expect(explore.get_by_test_id("scope-toggle")).to_have_attribute("data-value", "local")
    assert numbers(explore)["kept"] != everywhere["kept"]
    for percent in ("40", "5", "97"):
        explore.get_by_test_id("ratio-input").fill(percent)
        expect_server_agrees(explore, service, run)


def test_a_locked_layer_keeps_every_channel_and_layers_at_their_minimum_are_named(
    explore: Page, service: Service, run: RunOut
):
    explore.get_by_test_id("ratio-input").fill("90")
    row = explore.get_by_test_id("layer-list").get_by_role("listitem").nth(3)
    name, size = row.get_attribute("data-layer"), row.get_attribute("data-size")
    row.get_by_role("button", name=re.compile("^Lock")).click()
    expect(row).to_have_attribute("data-kept", str(size))
    assert name is not None
    preview = service.client.preview(run.id, Plan(ratio=0.9, locks=(name,)))
    assert numbers(explore)["kept"] == preview.kept
    assert numbers(explore)["params"] == preview.cost.params
    if preview.held_at_minimum:
        expect(explore.get_by_test_id("warnings")).to_contain_text("minimum")


def test_a_measured_cut_shows_the_accuracy_that_the_api_stores(
    explore: Page, service: Service, run: RunOut
):
    explore.get_by_test_id("ratio-input").fill("31.7")
    shown = explore.get_by_test_id("accuracy-value")
    expect(shown).to_have_attribute("data-kind", "estimated")
    singles = explore.locator("#curve .rx-single").count()
    explore.get_by_test_id("measure-button").click()
    expect(shown).to_have_attribute("data-kind", "measured")
    known = service.client.evaluate(run.id, plan_of(explore)).evaluation
    assert known is not None
    assert value(shown) == known.accuracy.value
    assert shown.get_attribute("data-n") == str(known.accuracy.n)
    expect(explore.locator("#curve .rx-single")).to_have_count(singles + 1)
    explore.get_by_test_id("ratio-input").fill("10.3")
    expect(shown).to_have_attribute("data-kind", "estimated")
    explore.get_by_test_id("ratio-input").fill("31.7")
    expect(shown).to_have_attribute("data-kind", "measured")  # coming back asks nobody


def test_the_curve_has_every_measured_point_and_the_lossless_ratio_of_the_run(
    explore: Page, service: Service, run: RunOut
):
    curve = explore.get_by_test_id("curve")
    points = service.client.curve(run.id).points
    expect(curve).to_have_attribute("data-points", str(len(points)))
    expect(curve.locator(".rx-point")).to_have_count(len(points))
    measured = [point for point in points if point.accuracy.kind == "measured"]
    expect(curve.locator('.rx-point[data-kind="measured"]')).to_have_count(len(measured))
    assert float(curve.get_attribute("data-lossless") or "nan") == run.lossless_ratio
    if run.lossless_ratio:
        explore.get_by_test_id("lossless-button").click()
        next_frame(explore)
        cut = explore.get_by_test_id("removed-count").get_attribute("data-ratio")
        assert float(cut or "nan") == run.lossless_ratio
