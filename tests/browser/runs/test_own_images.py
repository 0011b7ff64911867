"""A folder of somebody's own images: found, chosen in the form, trained on, reported on."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.runs.test_start import choose, expect_refused, open_form
from tests.browser.screen import TRAINING_MS
from tests.browser.shell.test_look import expect_to_fit
from tests.service import Service
from tests.worker_process import eventually

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CLASSES = {"blue": 24, "red": 12}


@pytest.fixture(scope="module")
def colours(service: Service) -> str:
    """A folder of two colours below the data root, with one file that is no image."""
    root = service.folder / "colours"
    rng = np.random.default_rng(0)
    for part in ("train", "test"):
        for place, (name, n) in enumerate(CLASSES.items()):
            (root / part / name).mkdir(parents=True)
            for i in range(n):
                write(root / part / name / f"{i}.png", rng, 2 * place)
    (root / "train" / "red" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    # At once: the worker looks into a folder as soon as it is there, also half written.
    root.rename(service.folder / "data" / "datasets" / "colours")
    eventually(lambda: "colours" in folders(service), "the folder in the catalog")
    return "colours"


def write(path: Path, rng: np.random.Generator, channel: int) -> None:
    """One noisy square in which a colour is strong."""
    pixels = rng.integers(0, 90, (20, 24, 3), dtype=np.uint8)
    pixels[:, :, channel] += 150
    Image.fromarray(pixels).save(path)


def folders(service: Service) -> set[str]:
    return {
        variant.name for entry in service.client.catalog().datasets for variant in entry.variants
    }


def open_folder(page: Page) -> None:
    page.goto("/")
    open_form(page)
    choose(page, "dataset", "Own images")


def test_a_folder_is_suggested_with_its_facts_and_a_wrong_one_is_refused(
    page: Page, service: Service, colours: str
):
    open_folder(page)
    form = page.get_by_test_id("run-form")
    field = form.get_by_test_id("field-dataset_params.path-folder")
    expect(field).to_have_value(colours)
    note = form.locator(".advice", has_text="2 classes")
    expect(note).to_contain_text("37 training and 36 test images")
    field.fill("nowhere")
    expect_refused(field, "nowhere", colours)
    page.get_by_test_id("submit-run").click()
    expect(page.get_by_test_id("submit-run")).to_be_enabled()
    field.fill("col")
    page.get_by_role("option", name=colours).click()
    expect(field).to_have_attribute("aria-invalid", "false")
    assert not [run for run in service.client.runs().items if "folder" in run.spec.dataset]


def test_networks_are_sorted_by_the_size_of_the_images(page: Page, colours: str):
    open_folder(page)
    form = page.get_by_test_id("run-form")
    form.get_by_test_id("field-dataset_params.image_size-folder").fill("16")
    fit = form.locator(".plugin-fit").filter(visible=True)
    expect(fit).to_contain_text("16 × 16")
    page.get_by_test_id("field-architecture").click()
    expect(page.get_by_text("Do not accept 16 × 16 images")).to_be_visible()
    page.get_by_test_id("field-architecture").fill("resnet-20")
    expect(page.get_by_role("option", name="ResNet-20", exact=True)).to_be_visible()
    expect(page.get_by_role("option")).to_have_count(1)


def test_the_report_on_a_folder_is_shown_on_the_training_tab(
    page: Page, service: Service, colours: str
):
    open_folder(page)
    form = page.get_by_test_id("run-form")
    form.get_by_test_id("field-dataset_params.image_size-folder").fill("16")
    form.get_by_test_id("field-dataset_params.bad_files-folder").click()
    page.get_by_role("option", name="skip", exact=True).click()
    form.get_by_test_id("field-architecture_params.width-vgg11").fill("0.1")
    form.get_by_test_id("field-epochs").fill("1")
    form.get_by_test_id("field-batch_size").fill("8")
    page.get_by_test_id("submit-run").click()
    page.wait_for_url(re.compile(r"/runs/\w+"))
    page.get_by_role("tab", name="Training").click()  # Explore is the first one if it is over
    report = page.get_by_test_id("data-report")
    expect(report).to_be_visible(timeout=TRAINING_MS)  # by itself, without a reload
    expect(report).to_contain_text("72 images in 2 classes")
    expect(report).to_contain_text("20")
    expect(page.get_by_test_id("report-classes")).to_contain_text(re.compile("blue.*48"))
    expect(page.get_by_test_id("report-bad")).to_contain_text("broken.png")
    expect(page.get_by_test_id("report-bad")).to_contain_text("1, skipped")
    run = service.finished_run(service.client.runs().items[0].id)
    assert run.data_report is not None
    assert run.data_report["bad"]["count"] == 1
    expect_to_fit(page)
