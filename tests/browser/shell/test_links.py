"""The address of the page: it restores what was chosen, and survives what cannot be used."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from recede.contract.schemas import RunOut
from tests.browser.conftest import Opener
from tests.browser.screen import (
    choices,
    explore_is_ready,
    numbers,
    open_explore,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def choose_a_ratio(page: Page) -> None:
    page.get_by_test_id("ratio-input").fill("42.5")
    page.get_by_test_id("scope-toggle").get_by_role("radio", name="Local").click()


def choose_a_threshold(page: Page) -> None:
    page.get_by_test_id("threshold-input").fill("0.123")


def the_line_is_drawn(page: Page, threshold: str) -> None:
    """Wait for the numbers, and for the histogram of the layer that the line lies over."""
    explore_is_ready(page)
    line = page.get_by_test_id("threshold-line")
    expect(line).to_have_attribute("data-value", threshold)


@pytest.mark.parametrize(
    ("choose", "name", "number"),
    [(choose_a_ratio, "r", "0.425"), (choose_a_threshold, "t", "0.123")],
)
def test_a_reload_and_a_copied_link_restore_every_choice(
    page: Page,
    run: RunOut,
    new_tab: Opener,
    choose: Callable[[Page], None],
    name: str,
    number: str,
):
    open_explore(page, run.id)
    page.get_by_test_id("epoch-slider").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.get_by_test_id("axis-toggle").get_by_role("radio", name="linear").click()
    page.get_by_test_id("layer-list").get_by_role(
        "button", name=re.compile(r"^features\.8:")
    ).click()
    choose(page)
    page.wait_for_url(re.compile(rf"[?&]{name}={re.escape(number)}"))
    chosen, shown = choices(page), numbers(page)
    assert chosen["epoch"] == "2"
    assert chosen["axis"] == "sigma"
    assert chosen["layer"] == "features.8"
    link = page.url
    assert set(parse_qs(urlsplit(link).query)) <= {
        "tab", "epoch", "r", "t", "scope", "axis", "layer",
    }  # fmt: skip

    page.reload()
    the_line_is_drawn(page, chosen["threshold"])
    assert (choices(page), numbers(page)) == (chosen, shown)
    elsewhere = new_tab(link)
    the_line_is_drawn(elsewhere, chosen["threshold"])
    assert (choices(elsewhere), numbers(elsewhere)) == (chosen, shown)


def test_the_tab_is_kept_in_the_address_beside_the_choices(page: Page, run: RunOut):
    open_explore(page, run.id, "&r=0.3&axis=sigma")
    page.get_by_role("tab", name="Files").click()
    expect(page.get_by_test_id("checkpoint-trained").first).to_be_visible()
    page.wait_for_url(re.compile("tab=files"))
    page.reload()
    expect(page.get_by_role("tab", name="Files")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_test_id("checkpoint-trained").first).to_be_visible()
    page.get_by_role("tab", name="Explore").click()
    explore_is_ready(page)
    assert choices(page)["ratio"] == "0.3"
    assert choices(page)["axis"] == "sigma"


def test_values_that_cannot_be_used_are_said_and_the_page_goes_on(page: Page, run: RunOut):
    open_explore(
        page, run.id, "&epoch=banana&t=-1&axis=polar&scope=%3Cscript%3E&lock=none&layer=nowhere"
    )
    message = page.get_by_test_id("explore-message")
    expect(message).to_be_visible()
    for word in ["epoch=banana", "t=-1", "axis=polar", "scope=<script>", "none", "layer=nowhere"]:
        expect(message).to_contain_text(word)
    assert numbers(page)["params"] > 0
    page.get_by_test_id("ratio-input").fill("20")
    assert choices(page)["ratio"] == "0.2"


def test_an_unknown_tab_opens_one_that_exists(page: Page, run: RunOut):
    page.goto(f"/runs/{run.id}?tab=nonsense")
    expect(page.get_by_role("tab", name="Explore")).to_have_attribute("aria-selected", "true")
    explore_is_ready(page)


@pytest.mark.parametrize("path", ["/runs/nosuchrun", "/runs/%3Cb%3E", "/nowhere/at-all"])
def test_a_link_to_what_does_not_exist_shows_a_page_with_a_way_back(
    page: Page, run: RunOut, path: str
):
    page.goto(path)
    panel = page.get_by_test_id("run-missing").or_(page.get_by_test_id("page-missing"))
    expect(panel).to_be_visible()
    panel.get_by_role("link").click()
    expect(page.get_by_role("row").filter(has_text=run.id)).to_be_visible()


def test_the_api_describes_itself_without_asking_anybody_else(page: Page):
    page.goto("/docs")
    expect(page.get_by_text("/api/v1/runs/{run_id}/preview", exact=True)).to_be_visible()
