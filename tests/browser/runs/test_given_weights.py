"""Weights that were trained elsewhere: a run of no epochs, explored and cut like any other."""

from __future__ import annotations

import re
import shutil

import pytest
from playwright.sync_api import Page, expect

from recede.contract.schemas import RunOut
from tests.browser import views
from tests.browser.runs.test_start import choose, open_form
from tests.browser.screen import TRAINING_MS
from tests.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FILE = "elsewhere.safetensors"


@pytest.fixture
def weights(service: Service, run: RunOut) -> str:
    """The weights of a run, as somebody's file below the data root."""
    data = service.folder / "data"
    kept = next((data / "artifacts" / "runs" / run.id).rglob("*.safetensors"))
    (data / "datasets").mkdir(exist_ok=True)
    shutil.copy(kept, data / "datasets" / FILE)
    return FILE


def test_given_weights_are_explored_without_training(page: Page, service: Service, weights: str):
    page.goto("/")
    form = open_form(page)
    choose(page, "dataset", "Digits")
    form.get_by_test_id("field-architecture_params.width-vgg11").fill("0.1")
    form.get_by_test_id("field-epochs").fill("0")
    form.get_by_text("Starting weights", exact=True).click()
    form.get_by_test_id("init-file").click()
    form.get_by_test_id("field-init.file").fill(weights)
    expect(page.locator("#run-form-forecast")).to_contain_text("Nothing is trained")
    form.get_by_test_id("submit-run").click()
    page.wait_for_url(re.compile(r"/runs/\w+"))
    expect(page.get_by_test_id("run-state")).to_have_text("Finished", timeout=TRAINING_MS)
    run_id = re.search(r"/runs/(\w+)", page.url)[1]
    finished = service.finished_run(run_id)
    assert (finished.epochs_done, finished.best_epoch) == (0, 0)
    assert finished.spec.scale == "plain"  # ranked by what was given, not by gates
    page.goto(f"/runs/{run_id}?tab=training")
    expect(page.get_by_test_id("tile-epochs")).to_contain_text("not trained here")
    expect(page.get_by_test_id("tile-lossless")).to_contain_text("%")
    page.goto(f"/runs/{run_id}?tab=explore&r=0.3")
    expect(page.get_by_test_id("cost-params")).to_have_attribute("data-value", re.compile(r"\d+"))
    expect(page.get_by_test_id("epoch-slider")).to_be_disabled()  # there is one epoch
    expect(page.locator("#explore-root")).to_contain_text("as given")
    views.show(page, "heat")
    page.goto("/")
    row = page.get_by_role("row").filter(has_text=run_id)
    expect(row).to_contain_text("Not trained here")
