"""From an empty start page to a finished run in the table, in the browser alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Opener
from tests.browser.screen import TRAINING_MS
from tests.service import Service, running

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service on which nothing was ever trained."""
    with running(tmp_path_factory.mktemp("fresh")) as started:
        yield started


@pytest.fixture
def start(new_tab: Opener, fresh: Service) -> Page:
    return new_tab("/", url=fresh.url)


def open_form(page: Page) -> Locator:
    expect(page.locator("#runs-root")).to_have_attribute("data-state", re.compile("empty|filled"))
    page.get_by_role("button", name="New run").filter(visible=True).click()
    form = page.get_by_test_id("run-form")
    expect(form).to_be_visible()
    expect(page.locator("#run-form-steps")).to_contain_text("optimiser steps")
    return form


def choose(page: Page, name: str, label: str) -> None:
    page.get_by_test_id(f"field-{name}").click()
    page.get_by_role("option", name=label, exact=True).click()


def expect_refused(field: Locator, *words: str) -> None:
    """The field is marked, and says in words what was given and what is allowed."""
    expect(field).to_have_attribute("aria-invalid", "true")
    root = field.locator("xpath=ancestor::*[contains(@class, 'InputWrapper-root')][1]")
    error = root.locator("[class*='Input-error'], [class*='InputWrapper-error']").first
    for word in words:
        expect(error).to_contain_text(word)


def test_an_empty_start_page_offers_the_demo_and_a_new_run(start: Page):
    expect(start.get_by_test_id("demo-button")).to_be_visible()
    expect(start.get_by_test_id("demo-button")).to_be_enabled()
    expect(start.get_by_test_id("new-run-empty")).to_be_enabled()


def test_the_form_is_drawn_from_the_catalog(start: Page, fresh: Service):
    form = open_form(start)
    expect(start.get_by_role("dialog", name="New run")).to_be_visible()
    expect(start.locator("#run-form-forecast")).to_contain_text("no estimate of the time")
    expect(start.locator("#run-form-forecast")).to_contain_text("Activations")
    expect(start.locator("#run-form-forecast")).to_contain_text("of the multiply-adds can go.")
    catalog = fresh.client.catalog()
    lists = [
        ("dataset", catalog.datasets),
        ("architecture", catalog.architectures),
        ("method", catalog.methods),
    ]
    for field, entries in lists:
        start.get_by_test_id(f"field-{field}").click()
        for entry in entries:
            expect(start.get_by_role("option", name=entry.label, exact=True)).to_be_visible()
        start.keyboard.press("Escape")
    chosen = next(one for one in catalog.methods if one.name == catalog.demo.method)
    for param in chosen.params:
        field = form.get_by_test_id(f"field-method_params.{param.name}-{chosen.name}")
        expect(field).to_be_visible()


WRONG = [
    ("architecture_params.width-vgg11", "0.01", ["0.01", "0.05"]),
    ("architecture_params.width-vgg11", "wide", ["wide"]),
    ("method_params.lam-rni", "-1", ["-1", "0"]),
    ("epochs", "0", ["Epochs were 0", "none are given"]),
    ("batch_size", "1", ["1", "at least 2"]),
    ("lr", "0", ["0", "more than 0"]),
    ("val_fraction", "1.5", ["1.5", "less than 0.9"]),
]


def test_a_wrong_value_is_said_at_its_field_and_queues_nothing(start: Page, fresh: Service):
    form = open_form(start)
    for field, wrong, words in WRONG[1::2]:
        box = form.get_by_test_id(f"field-{field}")
        right = box.input_value()
        box.fill(wrong)
        expect_refused(box, *words)
        start.get_by_test_id("submit-run").click()
        expect(start.get_by_test_id("submit-run")).to_be_enabled()
        expect_refused(box, *words)
        box.fill(right)
        expect(box).to_have_attribute("aria-invalid", "false")
    assert fresh.client.runs().items == []


def test_every_wrong_field_is_marked_at_once_and_the_first_is_brought_into_sight(
    start: Page, fresh: Service
):
    form = open_form(start)
    for field, wrong, _ in WRONG[::2]:
        form.get_by_test_id(f"field-{field}").fill(wrong)
    for field, _, words in WRONG[::2]:
        expect_refused(form.get_by_test_id(f"field-{field}"), *words[:1])
    start.get_by_test_id("submit-run").click()
    expect(form.get_by_test_id(f"field-{WRONG[0][0]}")).to_be_in_viewport()
    assert fresh.client.runs().items == []


def test_what_was_typed_just_before_it_was_submitted_is_submitted(start: Page, fresh: Service):
    form = open_form(start)
    choose(start, "dataset", "Digits")
    form.get_by_test_id("field-epochs").fill("300")
    form.get_by_test_id("field-name").fill("In a hurry")
    start.keyboard.press("Control+Enter")
    start.wait_for_url(re.compile(r"/runs/\w+"))
    run = fresh.client.runs().items[0]
    fresh.client.cancel_run(run.id)
    assert fresh.finished_run(run.id).name == "In a hurry"
    assert run.spec.epochs == 300


def test_a_run_submitted_in_the_form_is_followed_live_to_the_table(start: Page, fresh: Service):
    form = open_form(start)
    choose(start, "dataset", "Digits")
    width = form.get_by_test_id("field-architecture_params.width-vgg11")
    width.fill("0.1")
    choose(start, "architecture", "ResNet-20")
    expect(form.get_by_test_id("field-architecture_params.width-resnet20")).to_be_visible()
    expect(width).to_have_count(0)
    expect(form).to_contain_text("32 × 32 fits")
    choose(start, "architecture", "VGG-11")
    expect(width).to_have_value("0.1")  # what was typed
    form.get_by_test_id("field-epochs").fill("8")
    form.get_by_test_id("field-batch_size").fill("32")
    form.get_by_test_id("field-name").fill("My first run")
    expect(start.locator("#run-snippet-cli")).to_contain_text("'My first run'")
    start.get_by_test_id("submit-run").click()
    start.wait_for_url(re.compile(r"/runs/\w+"))
    start.evaluate("window.notReloaded = true")
    expect(start.get_by_test_id("run-name")).to_have_value("My first run")
    state = start.get_by_test_id("run-state")
    expect(state).to_have_text("Running")
    expect(start.get_by_test_id("tile-epoch")).to_contain_text(re.compile(r"\d / 8"))
    expect(start.get_by_test_id("tile-loss")).to_contain_text(re.compile(r"\d\.\d"))
    expect(start.get_by_test_id("tile-speed")).to_contain_text(re.compile(r"\d"))
    expect(state).to_have_text("Finished", timeout=TRAINING_MS)
    expect(start.get_by_test_id("tile-lossless")).to_contain_text("%", timeout=TRAINING_MS)
    assert start.evaluate("window.notReloaded") is True

    start.get_by_role("link", name="Runs").first.click()
    run = fresh.client.runs().items[0]
    assert run.spec.epochs == 8
    assert run.spec.batch_size == 32
    assert run.spec.architecture_params == {"width": 0.1}
    assert run.test_accuracy is not None
    assert run.lossless_ratio is not None
    row = start.get_by_role("row").filter(has_text="My first run")
    expect(row).to_contain_text("Finished")
    expect(row).to_contain_text("8/8")
    expect(row).to_contain_text(f"{100 * run.test_accuracy.value:.1f} %")
    expect(row).to_contain_text(f"{100 * run.lossless_ratio:.0f} %")
    assert start.evaluate("window.notReloaded") is True
