"""On the page of a run: notices, polarisation in numbers, fine-tuning of a cut."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from recede.contract.schemas import RunOut
from recede.contract.spec.run import Plan
from recede.store.database.engine import open_store, sqlite_url
from recede.store.experiments import runs
from tests.browser.screen import (
    Watch,
    explore_is_ready,
    next_frame,
    open_explore,
)
from tests.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIELDS = ("below_001", "below_01", "above_05", "bimodality", "valley")

SHOWN = """(names) => Object.fromEntries(names.map((name) => {
  const text = document.querySelector(`[data-testid="polarisation-${name}"]`).dataset.value;
  return [name, text === undefined ? null : Number(text)];
}))"""


def shown(page: Page) -> dict[str, float | None]:
    """Polarisation as the page shows it now."""
    next_frame(page)
    found: dict[str, float | None] = page.evaluate(SHOWN, list(FIELDS))
    return found


def test_polarisation_is_what_the_api_says_at_every_epoch_without_a_request(
    page: Page, watch: Watch, service: Service, run: RunOut
):
    told = service.client.polarisation(run.id, layers=True)
    open_explore(page, run.id)
    expect(page.get_by_test_id("polarisation")).to_be_visible()
    before = len(watch.requests)
    slider = page.get_by_test_id("epoch-slider")
    for item in told.items:
        slider.evaluate(
            "(node, at) => { node.value = at; node.dispatchEvent(new Event('input')); }",
            item.epoch,
        )
        assert shown(page) == {name: getattr(item.overall, name) for name in FIELDS}
    assert [url for url in watch.urls()[before:] if "polarisation" in url] == []


def test_polarisation_follows_the_chosen_layer_and_explains_itself(
    page: Page, service: Service, run: RunOut
):
    last = service.client.polarisation(run.id, layers=True).items[-1]
    layers = last.layers or {}
    name = next(iter(layers))
    open_explore(page, run.id, f"&epoch={last.epoch}&layer={name}")
    expect(page.locator("#layer-list [data-selected]")).to_have_attribute("data-layer", name)
    assert shown(page) == {field: getattr(layers[name], field) for field in FIELDS}
    page.locator(".rx-polar dt", has_text="bimodality").hover()
    card = page.get_by_test_id("term-card")
    expect(card).to_contain_text(f"Of {name}")
    expect(card).to_contain_text("Pfister")
    label = page.locator(f'.rx-layer-main[data-layer="{name}"] .rx-layer-name')
    expect(label).to_have_attribute("title", re.compile(r"< 0\.1 .*%"))


def test_a_notice_appears_by_itself_with_its_hint_and_epoch(
    page: Page, service: Service, run: RunOut
):
    open_explore(page, run.id)
    expect(page.get_by_test_id("run-notices")).to_be_empty()
    store = open_store(sqlite_url(service.folder / "data" / "recede.db"))
    try:
        with store.write() as session:
            runs.notice(
                session,
                run.id,
                code="at_chance",
                message="Accuracy has been at chance for 3 epochs.",
                hint="Try a smaller learning rate.",
                epoch=3,
            )
        banner = page.get_by_test_id("run-notice")
        expect(banner).to_contain_text("at chance for 3 epochs")
        expect(banner).to_contain_text("smaller learning rate")
        expect(banner).to_contain_text("epoch 3")
        page.reload()
        explore_is_ready(page)
        expect(banner).to_be_visible()
        with store.write() as session:
            runs.clear_notice(session, run.id, "at_chance")
        expect(banner).to_have_count(0)
    finally:
        store.close()


def test_a_cut_chosen_in_explore_is_fine_tuned_from_the_filled_form(
    page: Page, service: Service, run: RunOut
):
    open_explore(page, run.id)
    page.get_by_test_id("ratio-input").fill("40")
    page.get_by_test_id("finetune-button").click()
    form = page.get_by_test_id("run-form")
    expect(form).to_be_visible()
    expect(page.get_by_role("dialog", name=f"Fine-tune a cut of {run.name}")).to_be_visible()
    cut = page.get_by_test_id("form-cut")
    expect(cut).to_be_in_viewport(ratio=1)
    left = service.client.preview(run.id, Plan(ratio=0.4))  # minima may keep some of the 40 %
    expect(cut).to_contain_text(re.compile(rf"{100 * left.ratio:.3g}\s% of the neurons"))
    expect(cut).to_contain_text(f"{left.cost.params:,} of {left.dense.params:,} parameters")
    expect(page.locator("#run-form-plan")).to_contain_text("40 % of the neurons removed")
    forecast = page.locator("#run-form-forecast")
    expect(forecast).to_contain_text(f"run {run.id}, which trained the whole network, took")
    expect(forecast).to_contain_text(f"momenta of {left.cost.params:,} parameters")
    expect(form.get_by_test_id("field-method_params.lam-rni")).to_have_value("0")
    expect(form.get_by_test_id("field-epochs")).to_have_value("1")
    page.get_by_test_id("submit-run").click()
    page.wait_for_url(lambda url: "/runs/" in url and run.id not in url)
    origin = page.get_by_test_id("origin")
    expect(origin).to_contain_text("Fine-tuned from")
    expect(origin).to_contain_text("40 % of the neurons removed")
    expect(origin.get_by_role("link")).to_have_text(run.name)
    made = service.client.runs().items[0]
    service.client.cancel_run(made.id)
    assert made.parent == run.id
    assert made.spec.init is not None
    assert made.spec.init.plan is not None
    assert made.spec.init.plan.epoch is None  # the best one
    assert made.spec.method_params["lam"] == 0
    origin.get_by_role("link").click()
    page.wait_for_url(re.compile(run.id))
    service.finished_run(made.id)
