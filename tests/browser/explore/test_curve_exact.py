"""A curve that was estimated from part of the images is measured on all of them from its note."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from recede.contract.cut.selection import select
from recede.contract.measuring.accuracy import Accuracy
from recede.contract.network.cost import cost
from recede.contract.schemas import RunOut
from recede.contract.spec.run import Plan
from recede.store.database.engine import open_store, sqlite_url
from recede.store.results import curves
from recede.store.results.curves import Place
from tests.browser.screen import TRAINING_MS, open_explore
from tests.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EPOCH = 2
RATIOS = (0.0, 0.3, 0.6)
N, N_SPLIT = 60, 144
ROUGH = Accuracy("estimated", 0.5, 0.37, 0.63, N, N_SPLIT, 0.4, 0.6)


@pytest.fixture
def estimated(service: Service, run: RunOut) -> RunOut:
    """The run with three points of an epoch that nobody has measured, from 60 of 144 images."""
    shape, raw = service.client.network(run.id), service.client.snapshot(run.id, EPOCH)
    store = open_store(sqlite_url(service.folder / "data" / "recede.db"))
    try:
        with store.write() as session:
            for ratio in RATIOS:
                cut = select(shape, raw, Plan(epoch=EPOCH, ratio=ratio))
                spent = cost(shape, cut.kept)
                curves.put(
                    session, run.id, Place(EPOCH, "importance", "global", "drop"),
                    ask=ratio, ratio=cut.ratio, digest=cut.digest, accuracy=ROUGH,
                    cost={"params": spent.params, "macs": spent.macs},
                )  # fmt: skip
    finally:
        store.close()
    return run


def test_estimated_points_are_measured_on_all_images_for_a_price_that_is_told(
    page: Page, service: Service, estimated: RunOut
):
    open_explore(page, estimated.id, f"&epoch={EPOCH}&r=0.3")
    button = page.get_by_test_id("curve-exact")
    expect(page.get_by_test_id("curve-note")).to_contain_text("0 of 3 points measured")
    expect(button).to_have_text("Measure those 3 too")
    expect(button).to_have_attribute("title", re.compile(rf"{3 * N_SPLIT} images in all"))
    expect(page.get_by_test_id("accuracy-value")).to_have_attribute("data-kind", "estimated")
    button.click()
    words = page.get_by_test_id("curve-note")
    expect(words).to_have_text(f"measured, n = {N_SPLIT}", timeout=TRAINING_MS)
    expect(button).to_be_hidden()
    points = service.client.curve(estimated.id, epoch=EPOCH).points
    assert {point.accuracy.kind for point in points} == {"measured"}
    expect(page.get_by_test_id("accuracy-value")).to_have_attribute("data-kind", "measured")
