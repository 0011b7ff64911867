"""A run that is recorded elsewhere: the cut that is chosen is measured where its network is."""

from __future__ import annotations

import re
import threading

import pytest
from playwright.sync_api import Page, expect

import recede
from recede.contract.spec.run import Plan
from recede.sdk.recording.reading import Recording
from recede.sdk.sending.delivery import Delivery
from recede.sdk.serving.requests import Requests
from recede.store.database.engine import open_store, sqlite_url
from recede.store.tables.runs import EvaluationRow
from tests.backend.sdk.watched import Small, Training, images
from tests.browser.screen import choices, drag_line, open_explore, value
from tests.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def measure_elsewhere(service: Service, run_id: str, times: int) -> None:
    """Add so many measured cuts, more than one answer of the service holds."""
    store = open_store(sqlite_url(service.folder / "data" / "recede.db"))
    with store.write() as session:
        for i in range(times):
            row = EvaluationRow(
                run_id=run_id, digest=f"{i:064d}", split="validation", epoch=1, ratio=0.1,
                plan={"ratio": 0.1}, correct=0, n=0, value=0.5, params=1, macs=1, seconds=0.0,
                created_at=0.0,
            )  # fmt: skip
            session.add(row)
    store.close()


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        (recede.Metric(name="psnr", unit="dB"), "no interval is known of this metric"),
        pytest.param(
            recede.Metric(name="accuracy", n=16), "95 % interval", marks=pytest.mark.thorough
        ),
    ],
    ids=["psnr", "accuracy"],
)
def test_the_chosen_cut_is_measured_where_its_network_is(
    page: Page, service: Service, tmp_path, monkeypatch, metric, words
):
    monkeypatch.setitem(Requests.__init__.__kwdefaults__, "pause_s", 0.05)
    training, stopping = Training(), threading.Event()
    with recede.watch(training.model, images(), folder=tmp_path, metric=metric) as run:
        training.epoch()
        run.log(1, **{metric.name: 0.5})
    delivery = Delivery(service.client, Recording(tmp_path))
    run_id = delivery.begin().run_id
    delivery.send()

    def evaluate(model) -> float:
        if stopping.is_set():
            raise KeyboardInterrupt
        return round(abs(float(model(images()).sum().detach())) % 1 * 16) / 16

    def serve() -> None:
        recede.serve(tmp_path, Small(), evaluate, epochs=[], server=service.url)

    open_explore(page, run_id)
    status, button = page.get_by_test_id("measure-status"), page.get_by_test_id("measure-button")
    expect(status).to_contain_text("nobody measures its cuts now")
    expect(status).to_contain_text("recede.serve(folder, model, evaluate, server=…)")
    expect(button).to_be_disabled()
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    expect(button).to_be_enabled()
    expect(status).to_be_empty()
    drag_line(page, 60)
    button.click()
    shown = page.get_by_test_id("accuracy-value")
    expect(shown).to_have_attribute("data-kind", "measured")
    plan = Plan(epoch=1, threshold=float(choices(page)["threshold"]))
    cut = recede.cut(training.model, images(), plan)
    assert value(shown) == evaluate(cut)
    expect(page.get_by_test_id("accuracy-band")).to_contain_text(re.compile(words))
    expect(button).to_be_disabled()
    stopping.set()
    drag_line(page, -120)
    button.click()
    expect(status).to_contain_text("has stopped before it came to it")
    thread.join(30)
    measure_elsewhere(service, run_id, 201)
    open_explore(page, run_id, f"&epoch=1&t={plan.threshold}")  # what was measured stays known
    expect(shown).to_have_attribute("data-kind", "measured")
    expect(page.get_by_test_id("measure-status")).to_be_empty()
