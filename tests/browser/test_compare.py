"""Compare: runs chosen in the table, one ratio for all, seeds as a mean, what differs."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from backend.contract.specs import RunSpec
from backend.schemas import RunOut
from tests.browser.screen import Watch, next_frame
from tests.browser.test_look import expect_to_fit
from tests.service import SMALL_RUN, Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def sibling(service: Service, run: RunOut) -> RunOut:
    """The same configuration as `run`, from another seed."""
    spec = RunSpec.model_validate({**SMALL_RUN, "seed": 7, "name": "Sibling"})
    return service.finished_run(service.client.create_run(spec).run.id)


def open_compare(page: Page, run: RunOut, sibling: RunOut, query: str = "") -> None:
    page.goto(f"/compare?runs={run.id},{sibling.id}{query}")
    expect(page.get_by_test_id("compare-root")).to_have_attribute("data-state", "ready")
    next_frame(page)


def dots(page: Page) -> list[float]:
    next_frame(page)
    found = page.locator("#compare-accuracy .cmp-dot")
    return [float(found.nth(i).get_attribute("data-x")) for i in range(found.count())]


def test_runs_are_chosen_in_the_table_and_compared(page: Page, run: RunOut, sibling: RunOut):
    page.goto("/")
    for one in (run, sibling):
        row = page.get_by_role("row").filter(has_text=one.id)
        row.get_by_role("checkbox").check()
    button = page.get_by_test_id("compare-button")
    expect(button).to_have_text("Compare 2")
    button.click()
    page.wait_for_url(re.compile(r"/compare\?runs="))
    expect(page.locator(".cmp-chip")).to_have_count(2)


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
    expect(page.get_by_test_id("compare-table")).to_contain_text("With 12.0")
    page.wait_for_url(re.compile(r"r=0\.12"))


def test_runs_that_differ_in_their_seed_alone_are_one_line_with_a_deviation(
    page: Page, run: RunOut, sibling: RunOut
):
    open_compare(page, run, sibling)
    expect(page.locator("#compare-accuracy .cmp-band")).to_have_count(1)
    table = page.get_by_test_id("compare-table")
    expect(table.locator("thead th")).to_have_count(1)
    expect(table).to_contain_text(re.compile(r"Test accuracy, dense.*± \d"))
    page.get_by_role("radio", name="Each run").click()
    expect(page.locator("#compare-accuracy .cmp-line")).to_have_count(2)
    expect(table.locator("thead th")).to_have_count(2)


def test_the_front_over_macs_and_the_address_keep_what_is_chosen(
    page: Page, run: RunOut, sibling: RunOut
):
    open_compare(page, run, sibling, "&seeds=apart")
    page.get_by_role("radio", name="MACs").click()
    expect(page.locator("#compare-accuracy .cmp-front")).to_have_count(1)
    page.wait_for_url(re.compile("x=macs"))
    page.reload()
    expect(page.locator("#compare-accuracy .cmp-front")).to_have_count(1)
    expect_to_fit(page)


def test_a_run_that_is_gone_is_named_and_the_others_are_shown(
    page: Page, watch: Watch, run: RunOut, sibling: RunOut
):
    watch.tolerate("404")
    page.goto(f"/compare?runs={run.id},gone2345,{sibling.id}")
    expect(page.get_by_role("status").filter(has_text="gone2345")).to_be_visible()
    expect(page.locator(".cmp-chip")).to_have_count(2)
