"""A sweep: started in the form as one action, followed on the page of its group, found again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from recede.contract.schemas import RunOut
from tests.browser.runs.test_start import choose, expect_refused, open_form
from tests.browser.screen import TRAINING_MS, next_frame
from tests.browser.shell.test_look import expect_to_fit
from tests.service import SMALL_RUN, Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXES = {"method_params.lam": [0.02, 0.05], "seed": [0, 1]}


def chips(form: Locator, name: str, values: list[str]) -> None:
    """Put other values in the place of those that are there."""
    box = form.get_by_test_id(f"field-{name}")
    box.click()
    for _ in range(5):
        box.press("Backspace")
    for value in values:
        box.press_sequentially(value)
        box.press("Enter")


def start_sweep(page: Page) -> Locator:
    page.goto("/")
    form = open_form(page)
    choose(page, "dataset", "Digits")
    form.get_by_test_id("field-architecture_params.width-vgg11").fill("0.1")
    form.get_by_test_id("field-epochs").fill("1")
    form.get_by_test_id("field-batch_size").fill("32")
    form.get_by_text("Sweep", exact=True).click()
    return form


def test_a_sweep_is_started_as_one_followed_to_its_means_and_found_again(
    page: Page, service: Service, run: RunOut
):
    form = start_sweep(page)
    chips(form, "axes.method_params.lam-rni", ["0.02", "0.05"])
    chips(form, "axes.seed", ["0", "1"])
    form.get_by_test_id("field-name").fill("My sweep")
    expect(page.locator("#run-form-runs")).to_contain_text("2 × 2 = 4 runs of 41 steps each.")
    expect(page.locator("#run-snippet-cli")).to_contain_text("--grid method_params.lam=0.02,0.05")
    page.get_by_role("button", name="Start 4 runs").click()
    page.wait_for_url(re.compile(r"/groups/\w+"))
    page.evaluate("window.notReloaded = true")
    expect(page.get_by_test_id("group-name")).to_have_text("My sweep")
    expect(page.locator(".group-run")).to_have_count(4)
    counts = page.get_by_test_id("group-counts")
    expect(counts).to_have_text("4 runs: 4 finished", timeout=TRAINING_MS)
    expect(page.locator(".group-mean").first).to_contain_text(re.compile(r"\d\s%.*± \d"))
    expect(page.locator("#group-curves .scatterlayer .trace")).to_have_count(6)
    expect(page.get_by_test_id("cancel-group")).to_be_hidden()
    assert page.evaluate("window.notReloaded") is True

    group = service.client.groups().items[0]
    assert group.axes == AXES
    rows = page.locator(".group-run")
    for i, one in enumerate(group.runs):
        assert one.val_accuracy is not None
        expect(rows.nth(i)).to_have_attribute("data-run-id", one.id)
        expect(rows.nth(i)).to_contain_text(f"{100 * one.val_accuracy.value:.1f} %")
    expect_to_fit(page)

    # The run and its group lead to each other.
    page.get_by_role("link", name="0", exact=True).first.click()
    page.wait_for_url(re.compile(rf"/runs/{group.runs[0].id}"))
    page.get_by_role("link", name="Group", exact=True).click()
    page.wait_for_url(re.compile(r"/groups/"))
    page.get_by_role("link", name="Show in run list").click()
    chip = page.get_by_test_id("group-chip")
    expect(chip).to_contain_text("My sweep")
    expect(page.locator(".ag-row")).to_have_count(4)
    page.reload()
    expect(page.locator(".ag-row")).to_have_count(4)
    page.get_by_role("button", name="Show all runs").click()
    expect(chip).to_be_hidden()
    expect(page.locator(f'.ag-row[row-id="{run.id}"]')).to_be_visible()
    assert "group=" not in page.url


def test_all_runs_of_a_group_are_cancelled_and_then_deleted_together(page: Page, service: Service):
    group = service.client.create_group(
        {**SMALL_RUN, "epochs": 2000}, {"seed": [0, 1, 2]}, name="Too long"
    ).group
    page.goto(f"/groups/{group.id}")
    expect(page.locator('.group-run[data-state="running"]')).to_have_count(1)
    page.get_by_test_id("cancel-group").click()
    expect(page.get_by_test_id("group-counts")).to_have_text("3 runs: 3 cancelled")
    page.get_by_test_id("delete-group").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("3 runs")
    dialog.get_by_role("button", name="Delete all").click()
    page.wait_for_url(re.compile(r"/$"))
    page.goto(f"/groups/{group.id}")
    expect(page.get_by_test_id("group-missing")).to_be_visible()


def test_wrong_values_of_a_sweep_are_said_at_their_chips_and_queue_nothing(
    page: Page, service: Service
):
    before = len(service.client.groups().items)
    form = start_sweep(page)
    chips(form, "axes.seed", ["0", "half"])
    expect_refused(form.get_by_test_id("field-axes.seed"), "half", "whole number")
    page.get_by_test_id("submit-run").click()
    expect(page.get_by_test_id("submit-run")).to_be_enabled()
    assert len(service.client.groups().items) == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_signs_of_the_table_have_the_colours_of_the_curves(
    page: Page, service: Service, scheme: str
):
    group = next(one for one in service.client.groups().items if one.name == "My sweep")
    page.emulate_media(color_scheme=scheme)
    page.goto(f"/groups/{group.id}")
    expect(page.locator("#group-curves .scatterlayer .trace")).to_have_count(6)
    next_frame(page)
    lines = page.locator("#group-curves .scatterlayer path.js-line").evaluate_all(
        "(paths) => new Set(paths.map((path) => getComputedStyle(path).stroke)).size"
    )
    assert lines == 2
    drawn = page.locator("#group-curves .scatterlayer path.js-line").evaluate_all(
        "(paths) => paths.map((path) => getComputedStyle(path).stroke)"
    )
    signs = page.locator(".step-sign").evaluate_all(
        "(signs) => signs.map((sign) => getComputedStyle(sign).backgroundColor)"
    )
    assert set(signs) == set(drawn)
