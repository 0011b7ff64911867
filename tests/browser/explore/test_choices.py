"""The rarer choices of a cut: own ratios, rounding, minima, protection; broken links to them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from recede.contract.schemas import RunOut
from recede.contract.spec.run import Plan
from tests.browser.conftest import Opener
from tests.browser.screen import (
    EXPLORE,
    Watch,
    choices,
    explore_is_ready,
    numbers,
    open_explore,
)
from tests.service import Service
from tests.worker_process import eventually

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAYER = "features.8"


@pytest.fixture
def explore(page: Page, run: RunOut) -> Page:
    open_explore(page, run.id, "&epoch=3&r=0.6")
    return page


@pytest.fixture
def unprotected(service: Service, run: RunOut) -> Iterator[Service]:
    """The service, whose run protects no layer afterwards and has its curve again."""
    yield service
    service.client.protect_layers(run.id, [])
    service.client.measure_curve(run.id)
    service.finished_run(run.id)


def expected(service: Service, run: RunOut, plan: Plan) -> dict[str, object]:
    preview = service.client.preview(run.id, plan)
    return {
        "removed": preview.removed,
        "params": preview.cost.params,
        "macs": preview.cost.macs,
        "kept": preview.kept,
    }


def tag(page: Page, layer: str):
    return page.get_by_test_id(f"layer-{layer}").locator(".rx-layer-tag")


def test_a_layer_gets_a_ratio_of_its_own_in_its_row_and_follows_again(
    explore: Page, service: Service, run: RunOut
):
    before = numbers(explore)
    explore.locator(f'.rx-layer-main[data-layer="{LAYER}"]').click()
    field = explore.get_by_test_id("own-ratio")
    field.fill("20")
    field.press("Enter")
    plan = Plan(epoch=3, ratio=0.6, overrides={LAYER: 0.2})
    assert numbers(explore) == expected(service, run, plan)
    expect(tag(explore, LAYER)).to_contain_text("20")
    field.fill("120")
    expect(field).to_have_attribute("aria-invalid", "true")
    fault = explore.get_by_test_id("field-fault")
    expect(fault).to_contain_text("120 was entered; a layer's ratio")
    assert numbers(explore) == expected(service, run, plan)
    explore.get_by_role("button", name=f"Lock {LAYER}: keep").click()  # it cannot be both
    locked = Plan(epoch=3, ratio=0.6, locks=(LAYER,))
    assert numbers(explore) == expected(service, run, locked)
    field.fill("20")
    assert numbers(explore) == expected(service, run, plan)
    explore.get_by_test_id("own-clear").click()
    assert numbers(explore) == before


def test_a_layer_is_chosen_locked_and_given_a_ratio_with_keys_alone(
    explore: Page, service: Service, run: RunOut
):
    explore.keyboard.press(".")
    explore.keyboard.press(".")
    names = [group.name for group in service.client.network(run.id).groups]
    assert choices(explore)["layer"] == names[1]
    explore.keyboard.press("k")
    assert numbers(explore) == expected(service, run, Plan(epoch=3, ratio=0.6, locks=(names[1],)))
    expect(explore.get_by_test_id("layer-why")).to_have_text("Locked: keeps all its channels.")
    explore.keyboard.press("k")
    expect(explore.get_by_test_id("layer-why")).to_be_hidden()
    explore.keyboard.press("o")
    expect(explore.get_by_test_id("own-ratio")).to_be_focused()
    explore.keyboard.type("35")
    explore.keyboard.press("Enter")
    own = Plan(epoch=3, ratio=0.6, overrides={names[1]: 0.35})
    assert numbers(explore) == expected(service, run, own)


def test_rounding_and_minima_are_those_of_the_server_and_are_warned_of(
    explore: Page, service: Service, run: RunOut
):
    explore.get_by_test_id("more-toggle").click()
    explore.get_by_test_id("round-toggle").get_by_role("radio", name="8", exact=True).click()
    rounded = Plan(epoch=3, ratio=0.6, round_to=8)
    assert numbers(explore) == expected(service, run, rounded)
    warnings = explore.get_by_test_id("warnings")
    expect(warnings).to_contain_text("rounded up to a multiple of 8")
    expect(explore.get_by_test_id("target-note")).to_contain_text("60.0\u202f% asked")
    explore.get_by_test_id("min-channels").fill("12")
    explore.get_by_test_id("min-channels").press("Enter")
    both = Plan(epoch=3, ratio=0.6, round_to=8, min_channels=12)
    assert numbers(explore) == expected(service, run, both)
    explore.get_by_test_id("round-toggle").get_by_role("radio", name="1", exact=True).click()
    least = Plan(epoch=3, ratio=0.6, min_channels=12)
    assert numbers(explore) == expected(service, run, least)
    explore.get_by_test_id("ratio-input").fill("97")
    expect(warnings).to_contain_text("held at")
    explore.locator(f'.rx-layer-main[data-layer="{LAYER}"]').click()
    expect(explore.get_by_test_id("layer-why")).to_contain_text("Held at its minimum of 12")
    expect(explore.get_by_test_id("more-toggle")).to_contain_text("1")


def test_a_link_restores_every_choice(
    explore: Page, new_tab: Opener, service: Service, run: RunOut
):
    query = f"&epoch=2&macs=0.5&round=4&min=5&lock=features.0&override={LAYER}:0.25&layer={LAYER}"
    open_explore(explore, run.id, query)
    shown = numbers(explore)
    explore.get_by_test_id("axis-toggle").get_by_role("radio", name="linear").click()
    explore.wait_for_url(re.compile("axis=sigma"))
    link = explore.url
    for part in query.split("&")[1:]:
        assert part in link
    other = new_tab(link)
    explore_is_ready(other)
    assert numbers(other) == shown
    expect(other.get_by_test_id("own-ratio")).to_have_value("25")
    expect(other.get_by_test_id("round-toggle")).to_have_attribute("data-value", "4")


def test_a_protected_layer_stays_whole_in_every_tab_and_is_kept_with_the_run(
    explore: Page, unprotected: Service, run: RunOut
):
    explore.locator(f'.rx-layer-main[data-layer="{LAYER}"]').click()
    explore.get_by_test_id("protect").check()
    expect(explore.get_by_test_id(f"layer-{LAYER}")).to_have_attribute("data-protected", "")
    assert unprotected.client.run(run.id).protected == [LAYER]
    size = {g.name: g.size for g in unprotected.client.network(run.id).groups}[LAYER]
    shown = numbers(explore)
    assert shown["kept"][LAYER] == size
    assert shown == expected(unprotected, run, Plan(epoch=3, ratio=0.6))
    expect(explore.get_by_test_id("own-ratio")).to_be_disabled()
    open_explore(explore, run.id, f"&epoch=3&r=0.6&layer={LAYER}&override={LAYER}:0.5")
    expect(explore.get_by_test_id("explore-message")).to_contain_text("always kept in this run")
    assert numbers(explore) == shown
    explore.get_by_test_id("protect").uncheck()
    expect(explore.get_by_test_id(f"layer-{LAYER}")).not_to_have_attribute("data-protected", "")
    assert unprotected.client.run(run.id).protected == []


def test_another_criterion_is_scored_shown_and_cut_by(
    explore: Page, service: Service, run: RunOut
):
    name = next(one.name for one in service.client.catalog().criteria if one.name != "importance")
    open_explore(explore, run.id, f"&epoch={run.best_epoch}&r=0.5")
    explore.get_by_test_id("more-toggle").click()
    expect(explore.get_by_test_id("criterion").locator("option")).not_to_have_count(1)
    explore.get_by_test_id("criterion").select_option(name)
    ranked = f"""async () => {{
      const app = await {EXPLORE};
      return Boolean(app.now.ranking) && app.source.criterion !== "importance";
    }}"""
    eventually(lambda: explore.evaluate(ranked), "the neurons to be ranked by the criterion")
    plan = Plan(epoch=run.best_epoch, ratio=0.5, criterion=name)
    assert numbers(explore) == expected(service, run, plan)
    explore.get_by_test_id("threshold-input").fill("0")
    assert numbers(explore)["removed"] == 0
    explore.wait_for_url(re.compile(f"criterion={name}"))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (
            "&epoch=99&r=0.3&override=nowhere:0.3,features.8:2&criterion=banana&bias=fold",
            ["epoch=99 (available: 0 to 4)", "nowhere", "features.8:2", "=banana", "bias=fold"],
        ),
        (
            "&plan=987654&macs=-3&round=7.5&min=zero&lock=features.0,gone&override=features.0:0.1",
            ["plan=987654", "macs=-3", "round", "min", "gone", "also locked"],
        ),
        ("&accuracy=90&latency=fast&size=&plan=<b>", ["accuracy=90", "latency=fast", "<b>"]),
    ],
)
def test_what_a_link_asks_for_in_vain_is_named_and_the_page_goes_on(
    page: Page, run: RunOut, query: str, words: list[str]
):
    open_explore(page, run.id, query)
    message = page.get_by_test_id("explore-message")
    for word in words:
        expect(message).to_contain_text(word)
    assert numbers(page)["params"] > 0
    page.get_by_test_id("ratio-input").fill("20")
    assert choices(page)["ratio"] == "0.2"
    message.get_by_role("button", name="Dismiss").click()
    expect(message).to_be_hidden()


def test_every_action_is_copied_with_the_whole_plan(explore: Page, service: Service, run: RunOut):
    query = f"&epoch=3&macs=0.5&round=8&min=4&lock=features.0&override={LAYER}:0.25"
    open_explore(explore, run.id, query)
    explore.locator("#copy-menu summary").click()
    options = explore.get_by_test_id("copy-action").locator("option")
    expect(options).not_to_have_count(0)
    actions = options.evaluate_all("(options) => options.map((option) => option.value)")
    assert set(actions) >= {"prune", "preview", "measure", "curve", "solve", "latency", "save"}
    for action in actions:
        explore.get_by_test_id("copy-action").select_option(action)
        curl = explore.get_by_test_id("copy-curl").text_content() or ""
        python = explore.get_by_test_id("copy-python").text_content() or ""
        assert f"/runs/{run.id}/" in curl
        assert "RecedeClient" in python
        words = explore.get_by_test_id("copy-cli").text_content() or ""
        assert words.endswith(f" --url {service.url}"), action  # not where it looks by itself
        if action == "curve":
            continue
        for text in ('"round_to":8', '"min_channels":4', '"locks":["features.0"]', LAYER):
            assert text in curl
        assert "round_to=8" in python
        for option in ("--round-to 8", "--min-channels 4", "--lock features.0", f"{LAYER}=0.25"):
            assert option in words, action


def test_the_list_of_keys_names_those_of_the_controls(explore: Page):
    explore.keyboard.press("?")
    dialog = explore.get_by_role("dialog", name="Keyboard")
    for words in ("Undo the last change", "Plans", "Lock or unlock", "Enter a ratio"):
        expect(dialog).to_contain_text(words)


def test_exact_numbers_and_undo_go_on_while_the_server_is_away(
    explore: Page, watch: Watch, service: Service, run: RunOut
):
    watch.tolerate("Failed to load resource")
    watch.tolerate(r"net::ERR_\w+")
    explore.get_by_test_id("target-input").fill("90")
    shown = expected(service, run, Plan(epoch=3, ratio=0.3, round_to=4))
    explore.context.set_offline(True)
    explore.get_by_test_id("ratio-input").fill("30")
    explore.get_by_test_id("more-toggle").click()
    explore.get_by_test_id("round-toggle").get_by_role("radio", name="4", exact=True).click()
    assert numbers(explore) == shown
    explore.get_by_test_id("plans-button").click()
    expect(explore.get_by_test_id("plans-list")).to_contain_text("The server does not answer")
    expect(explore.get_by_test_id("plan-save")).to_be_disabled()
    explore.keyboard.press("Escape")
    explore.keyboard.press("Control+z")
    assert numbers(explore)["removed"] != shown["removed"]
    explore.context.set_offline(False)
    explore.get_by_test_id("plans-button").click()
    expect(explore.get_by_test_id("plan-save")).to_be_enabled()
    expect(explore.get_by_test_id("plans-list")).not_to_contain_text("does not answer")
