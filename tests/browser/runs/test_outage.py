"""The service is gone and comes back: the page says so, goes on, and mends itself."""

from __future__ import annotations

import subprocess

import pytest
from playwright.sync_api import Page, expect

from recede.client import ApiError
from recede.contract.schemas import RunOut
from recede.contract.spec.run import Plan
from tests.browser.screen import (
    Watch,
    numbers,
    open_explore,
)
from tests.service import Service
from tests.worker_process import eventually

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def stop(service: Service) -> None:
    service.process.terminate()
    service.process.wait(120)


def start_again(service: Service) -> None:
    """The same command: same port, same folder."""
    with (service.folder / "up.log").open("ab") as log:
        service.process = subprocess.Popen(service.process.args, stdout=log, stderr=log)

    def ready() -> bool:
        try:
            return bool(service.client.catalog().datasets)
        except ApiError:
            return False

    eventually(ready, "the service's second start")


def test_a_lost_service_is_said_exact_numbers_go_on_and_it_mends_itself(
    page: Page, service: Service, run: RunOut, watch: Watch
):
    watch.tolerate(r"Failed to load resource: net::ERR_")
    watch.tolerate(r"net::ERR_\w+")
    open_explore(page, run.id, "&r=0.2")
    before = numbers(page)
    banner = page.get_by_test_id("offline-banner")
    expect(banner).to_be_hidden()
    stop(service)
    try:
        expect(banner).to_be_visible()
        expect(page.get_by_test_id("worker-status")).to_contain_text("does not answer")
        page.get_by_test_id("ratio-input").fill("57.3")
        meanwhile = numbers(page)
    finally:
        start_again(service)
    expect(banner).to_be_hidden()
    expect(page.get_by_test_id("worker-status")).to_contain_text("Worker ready")
    assert meanwhile["removed"] > before["removed"]
    epoch = int(page.get_by_test_id("epoch-slider").get_attribute("data-value") or -1)
    preview = service.client.preview(run.id, Plan(epoch=epoch, ratio=0.573))
    assert meanwhile == {
        "removed": preview.removed,
        "params": preview.cost.params,
        "macs": preview.cost.macs,
        "kept": preview.kept,
    }
    page.get_by_test_id("measure-button").click()
    expect(page.get_by_test_id("accuracy-value")).to_have_attribute("data-kind", "measured")
