"""Asking for a cut by cost or accuracy: all controls follow, the address keeps what was asked."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from recede.contract.cut.selection import select
from recede.contract.cut.targets import Target, solve
from recede.contract.network.cost import cost, dense_cost
from recede.contract.schemas import RunOut
from recede.contract.spec.run import Plan
from tests.browser.screen import (
    Watch,
    everything_is_loaded,
    explore_is_ready,
    next_frame,
    numbers,
    open_explore,
    value,
)
from tests.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EPOCH = 4


@pytest.fixture
def explore(page: Page, run: RunOut) -> Page:
    open_explore(page, run.id, f"&epoch={EPOCH}&r=0.1")
    everything_is_loaded(page)
    return page


def aim(page: Page, kind: str, text: str) -> str:
    """Pick what to hold, type it, and give what the page says came of it."""
    page.get_by_test_id("target-kind").select_option(kind)
    page.get_by_test_id("target-input").fill(text)
    page.get_by_test_id("target-input").press("Enter")
    next_frame(page)
    return page.get_by_test_id("target-note").text_content() or ""


def solved(service: Service, run: RunOut, target: Target, **rest: object) -> dict[str, int]:
    """What the shared rule in Python makes of the same wish."""
    shape = service.client.network(run.id)
    raw = service.client.snapshot(run.id, EPOCH)
    found = solve(shape, raw, Plan(epoch=EPOCH, ratio=0.0, **rest), target)
    spent = cost(shape, found.selection.kept)
    names = [group.name for group in shape.groups]
    return {
        "removed": found.selection.removed,
        "params": spent.params,
        "macs": spent.macs,
        "kept": dict(zip(names, found.selection.kept, strict=True)),
    }


@pytest.mark.parametrize(
    ("kind", "text", "target"),
    [
        ("macs", "40", Target(kind="macs", value=0.4, relative=True)),
        ("macs", "400k", Target(kind="macs", value=400_000)),
        ("params", "55 %", Target(kind="params", value=0.55, relative=True)),
    ],
)
def test_a_cost_is_held_and_everything_else_follows_as_python_solves_it(
    explore: Page,
    service: Service,
    run: RunOut,
    watch: Watch,
    kind: str,
    text: str,
    target: Target,
):
    since = len(watch.requests)
    said = aim(explore, kind, text)
    assert re.search(r"≤ .* asked, .* reached", said)
    shown = numbers(explore)
    assert shown == solved(service, run, target)
    share = shown["removed"] / sum(group.size for group in service.client.network(run.id).groups)
    assert value(explore.get_by_test_id("ratio-slider")) == pytest.approx(share, abs=0.05)
    assert watch.of_the_page(since) == []


def test_what_is_held_stays_so_while_other_choices_change(
    explore: Page, service: Service, run: RunOut
):
    aim(explore, "macs", "50")
    explore.get_by_role("button", name="Lock features.0: keep").click()
    target = Target(kind="macs", value=0.5, relative=True)
    assert numbers(explore) == solved(service, run, target, locks=("features.0",))
    explore.get_by_test_id("scope-toggle").get_by_role("radio", name="Local").click()
    local = solved(service, run, target, locks=("features.0",), scope="local")
    assert numbers(explore) == local
    explore.wait_for_url(re.compile(r"[?&]scope=local(&|$)"))  # the address follows a moment later
    explore.wait_for_url(re.compile(r"[?&]macs=0\.5(&|$)"))
    assert "r=" not in explore.url.split("?")[1].replace("&layer=", "")
    explore.reload()
    explore_is_ready(explore)
    assert numbers(explore) == local
    expect(explore.get_by_test_id("target-input")).to_have_value("50")


def test_an_aim_is_let_go_where_the_line_or_ratio_is_moved(explore: Page):
    aim(explore, "macs", "50")
    explore.get_by_test_id("ratio-input").fill("20")
    explore.wait_for_url(re.compile(r"[?&]r=0\.2(&|$)"))
    assert "macs=" not in explore.url
    expect(explore.get_by_test_id("target-note")).not_to_contain_text("MACs")


def test_what_cannot_be_had_says_what_can_and_why(explore: Page, service: Service, run: RunOut):
    said = aim(explore, "macs", "0.1")
    assert "lowest possible" in said
    assert re.search(r"minim(um|a) of \d+ layer", said)
    shape = service.client.network(run.id)
    raw = service.client.snapshot(run.id, EPOCH)
    least = cost(shape, select(shape, raw, Plan(ratio=0.9999)).kept).macs
    assert numbers(explore)["macs"] <= least
    assert f"{100 * least / dense_cost(shape).macs:.1f}" in said


def test_an_accuracy_is_looked_up_on_the_measured_curve(page: Page, service: Service, run: RunOut):
    open_explore(page, run.id, f"&epoch={run.best_epoch}&r=0")
    said = aim(page, "drop", "5")
    assert "drop ≤ 5 points asked" in said
    low = numbers(page)["removed"]
    aim(page, "drop", "40")
    assert numbers(page)["removed"] >= low
    said = aim(page, "accuracy", "100")
    assert "accuracy ≥ 100" in said


def test_the_slider_draws_the_aim_and_text_that_is_none_is_marked(explore: Page):
    slider, field = explore.get_by_test_id("target-slider"), explore.get_by_test_id("target-input")
    slider.focus()
    explore.keyboard.press("Home")
    for _ in range(3):
        explore.keyboard.press("PageUp")
    shown = numbers(explore)
    expect(explore.get_by_test_id("target-kind")).to_have_attribute("data-held", "")
    expect(explore.get_by_test_id("target-note")).to_contain_text("MACs ≤ 30")
    field.fill("half")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(explore.get_by_test_id("field-fault")).to_contain_text(
        "half was entered; a share is above 0"
    )
    assert numbers(explore) == shown
    field.fill("140%")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.press("Tab")
    expect(field).not_to_have_attribute("aria-invalid", "true")
    expect(explore.get_by_test_id("field-fault")).to_be_hidden()


def test_numbers_in_place_of_shares_are_a_press_away(explore: Page, service: Service, run: RunOut):
    dense = dense_cost(service.client.network(run.id)).macs
    aim(explore, "macs", "50")
    held = numbers(explore)
    explore.get_by_test_id("target-unit").click()
    explore.wait_for_url(re.compile(r"[?&]macs=\d{4,}"))
    found = re.search(r"macs=(\d+)", explore.url)
    assert found is not None
    assert int(found[1]) == pytest.approx(dense / 2, abs=1)
    assert numbers(explore) == held
