"""A training that runs elsewhere: live on its page, explored exactly, cut where it trains."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

import recede
from recede.sdk.recording.reading import Recording
from recede.sdk.sending.delivery import Delivery
from tests.backend.sdk.watched import Training, images
from tests.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_training_elsewhere_is_followed_and_explored(page: Page, service: Service, tmp_path):
    training = Training()
    metric = recede.Metric(name="psnr", unit="dB")
    watching = recede.watch(training.model, images(), folder=tmp_path, metric=metric, name="Mine")
    delivery = Delivery(service.client, Recording(tmp_path))
    run_id = delivery.begin().run_id

    def goes_on(psnr: float) -> None:
        training.epoch()
        watching.log(psnr=psnr, epe=1.0)
        delivery.send()

    goes_on(20.0)
    page.goto(f"/runs/{run_id}?tab=training")
    expect(page.get_by_test_id("run-state")).to_have_text("Running")
    expect(page.get_by_test_id("tile-metric")).to_contain_text(re.compile(r"20\.00\sdB"))
    expect(page.get_by_test_id("tile-metric")).to_contain_text("no interval")
    goes_on(30.0)
    expect(page.get_by_test_id("tile-metric")).to_contain_text("30.00")
    expect(page.get_by_test_id("accuracy-chart")).to_contain_text("psnr")
    expect(page.locator("#accuracy-chart .scatterlayer .point")).to_have_count(2)
    expect(page.get_by_test_id("cancel-run")).to_be_hidden()
    watching.finish()
    delivery.send()
    expect(page.get_by_test_id("run-state")).to_have_text("Finished")

    page.goto(f"/runs/{run_id}?tab=explore&r=0.3")
    expect(page.get_by_test_id("cost-params")).to_have_attribute("data-value", re.compile(r"\d+"))
    expect(page.get_by_test_id("prune-button")).to_be_disabled()
    expect(page.locator("#explore-root")).to_contain_text("recede.cut(model, images, plan)")
    page.goto(f"/runs/{run_id}?tab=files")
    expect(page.get_by_test_id("files-empty")).to_contain_text("where it trains")
    page.goto("/")
    row = page.get_by_role("row").filter(has_text=run_id)
    expect(row).to_contain_text("recorded elsewhere")
    expect(row).to_contain_text(re.compile(r"30\.00\sdB"))
