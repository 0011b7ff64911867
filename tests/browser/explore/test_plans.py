"""Named plans: saved, taken up, compared, changed, shared, deleted and brought back."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from recede.contract.cut.selection import select
from recede.contract.schemas import PlanOut, RunOut
from recede.contract.spec.run import Plan
from tests.browser.conftest import Opener
from tests.browser.screen import (
    Watch,
    choices,
    explore_is_ready,
    numbers,
    open_explore,
    tab_to,
)
from tests.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def kept(service: Service, run: RunOut) -> Iterator[Service]:
    """The service, whose run has no plans before and after."""
    yield service
    for plan in service.client.plans(run.id).items:
        service.client.delete_plan(run.id, plan.id)


def save(page: Page, name: str, notes: str = "") -> None:
    page.get_by_test_id("plans-button").click()
    page.get_by_test_id("plan-name").fill(name)
    page.get_by_test_id("plan-notes").fill(notes)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("plans-button")).to_have_text(name)
    page.keyboard.press("Escape")


def only(service: Service, run: RunOut) -> PlanOut:
    (plan,) = service.client.plans(run.id).items
    return plan


def row(page: Page, name: str):
    return page.get_by_test_id("plans-list").get_by_role("listitem").filter(has_text=name)


def tool(page: Page, name: str, which: str) -> None:
    row(page, name).locator(f'[data-tool="{which}"]').click()


def test_a_plan_is_saved_whole_and_taken_up_again(page: Page, kept: Service, run: RunOut):
    open_explore(page, run.id, "&epoch=3&r=0.4&round=4&lock=features.0&override=features.8:0.25")
    shown = numbers(page)
    save(page, "for the phone", "by Friday")
    assert only(kept, run).plan == Plan(
        epoch=3, ratio=0.4, round_to=4, locks=("features.0",), overrides={"features.8": 0.25}
    )
    assert only(kept, run).notes == "by Friday"
    button = page.get_by_test_id("plans-button")
    expect(button).to_have_attribute("data-saved", str(only(kept, run).id))
    page.get_by_test_id("lossless-button").or_(page.get_by_test_id("gap-button")).first.focus()
    page.get_by_test_id("ratio-input").fill("10")
    page.get_by_role("button", name="Lock features.4: keep").click()
    expect(button).to_have_text("Plans 1")
    assert numbers(page) != shown
    button.click()
    expect(row(page, "for the phone")).to_contain_text("epoch 3 · 40.0")
    row(page, "for the phone").get_by_role("button", name="for the phone").first.click()
    expect(button).to_have_text("for the phone")
    assert numbers(page) == shown
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    assert numbers(page) != shown


def test_a_link_to_a_plan_opens_it_and_one_that_is_gone_leaves_the_cut_of_the_link(
    page: Page, kept: Service, run: RunOut, new_tab: Opener
):
    plan = kept.client.save_plan(
        run.id, "small", Plan(epoch=2, threshold=0.3, locks=("features.4",))
    )
    open_explore(page, run.id, f"&plan={plan.id}")
    expect(page.get_by_test_id("plans-button")).to_have_text("small")
    chosen = choices(page)
    assert (chosen["epoch"], chosen["by"], chosen["threshold"]) == ("2", "threshold", "0.3")
    page.wait_for_url(re.compile(r"t=0\.3.*lock=features\.4"))
    whole, shown = page.url, numbers(page)
    kept.client.delete_plan(run.id, plan.id)
    other = new_tab(whole)
    explore_is_ready(other)
    expect(other.get_by_test_id("explore-message")).to_contain_text(f"plan={plan.id}")
    assert numbers(other) == shown


def test_a_plan_saved_in_one_tab_appears_in_the_other_and_cuts_nothing_there(
    page: Page, kept: Service, run: RunOut, new_tab: Opener
):
    open_explore(page, run.id, "&epoch=3&r=0.3")
    other = new_tab(f"/runs/{run.id}?tab=explore&epoch=4&r=0.6")
    explore_is_ready(other)
    there = numbers(other)
    save(page, "shared")
    expect(other.get_by_test_id("plans-button")).to_have_text("Plans 1")
    assert numbers(other) == there
    other.keyboard.press("p")
    expect(row(other, "shared")).to_contain_text("30.0")
    tool(other, "shared", "bin")
    expect(page.get_by_test_id("plans-button")).to_have_text("Plans")


def test_a_plan_is_renamed_updated_deleted_and_brought_back(
    page: Page, kept: Service, run: RunOut
):
    kept.client.save_plan(run.id, "one", Plan(epoch=3, ratio=0.2), notes="first")
    open_explore(page, run.id, "&epoch=3&r=0.5")
    page.get_by_test_id("plans-button").click()
    tool(page, "one", "edit")
    page.get_by_test_id("plan-rename").fill("two")
    page.get_by_test_id("plan-renotes").fill("second")
    page.get_by_role("button", name="Save changes").click()
    expect(row(page, "two")).to_contain_text("second")
    tool(page, "two", "update")
    expect(row(page, "two")).to_contain_text("50.0")
    assert only(kept, run).plan == Plan(epoch=3, ratio=0.5)
    tool(page, "two", "bin")
    expect(page.get_by_test_id("toast")).to_contain_text("“two” deleted")
    expect(page.get_by_test_id("plans-list")).to_contain_text("No plans yet")
    page.get_by_test_id("toast").get_by_role("button", name="Undo").click()
    expect(row(page, "two")).to_contain_text("second")
    back = only(kept, run)
    assert (back.name, back.notes, back.plan) == ("two", "second", Plan(epoch=3, ratio=0.5))


def test_a_name_that_is_taken_or_missing_is_said_in_words(
    page: Page, kept: Service, run: RunOut, watch: Watch
):
    watch.tolerate("409")
    kept.client.save_plan(run.id, "one", Plan(epoch=3, ratio=0.2))
    open_explore(page, run.id, "&epoch=3&r=0.5")
    page.get_by_test_id("plans-button").click()
    page.get_by_test_id("plan-save").click()
    expect(page.get_by_test_id("plans-said")).to_contain_text("Give the plan a name")
    page.get_by_test_id("plan-name").fill("one")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("plans-said")).to_contain_text("already has a plan named 'one'")
    assert only(kept, run).plan.ratio == 0.2


def test_what_i_would_lose_is_told_layer_by_layer_also_between_epochs(
    page: Page, kept: Service, run: RunOut
):
    kept.client.save_plan(run.id, "earlier", Plan(epoch=2, ratio=0.6))
    open_explore(page, run.id, "&epoch=4&r=0.5")
    page.get_by_test_id("plans-button").click()
    tool(page, "earlier", "compare")
    words = page.get_by_test_id("diff-words")
    expect(words).to_contain_text("kept by A alone")
    shape = kept.client.network(run.id)
    a, b = (
        select(shape, kept.client.snapshot(run.id, epoch), Plan(ratio=ratio))
        for epoch, ratio in ((4, 0.5), (2, 0.6))
    )
    assert words.get_attribute("data-only-a") == str(np.sum(a.mask & ~b.mask))
    assert words.get_attribute("data-only-b") == str(np.sum(b.mask & ~a.mask))
    start = 0
    for group, first, second in zip(shape.groups, a.kept, b.kept, strict=True):
        where = slice(start, start + group.size)
        start += group.size
        line = page.locator(f'#diff-layers tr[data-layer="{group.name}"]')
        expect(line).to_contain_text(f"{first} → {second}" if first != second else f"{first} of")
        only_a = int(np.sum(a.mask[where] & ~b.mask[where]))
        assert line.get_attribute("data-only-a") == str(only_a)
    expect(page.get_by_test_id("diff-totals")).to_contain_text(f"{a.removed}")
    page.get_by_test_id("diff-b").select_option("present")
    expect(words).to_contain_text("exactly the same neurons")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("diff-dialog")).to_be_hidden()
    page.keyboard.press("Escape")
    page.keyboard.press("l")  # keys work again


def test_plans_are_saved_and_taken_up_with_the_keyboard_alone(
    page: Page, kept: Service, run: RunOut
):
    open_explore(page, run.id, "&epoch=3&r=0.4")
    shown = numbers(page)
    page.keyboard.press("p")
    page.keyboard.type("by keyboard")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("plans-button")).to_have_text("by keyboard")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("plans-button")).to_be_focused()
    tab_to(page, page.get_by_test_id("ratio-slider"))
    page.keyboard.press("PageUp")
    expect(page.get_by_test_id("plans-button")).to_have_text("Plans 1")
    page.keyboard.press("p")
    expect(page.get_by_test_id("plan-name")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("plans-button")).to_have_text("by keyboard")
    assert numbers(page) == shown


def test_saving_a_kept_plan_is_copied_under_a_name_that_is_free(
    page: Page, kept: Service, run: RunOut
):
    kept.client.save_plan(run.id, "plan A", Plan(epoch=3, ratio=0.2))
    open_explore(page, run.id, "&epoch=3&r=0.2")
    expect(page.get_by_test_id("plans-button")).to_have_text("plan A")
    page.locator("#copy-menu summary").click()
    page.get_by_test_id("copy-action").select_option("save")
    command = shlex.split(page.get_by_test_id("copy-cli").text_content() or "")
    python = page.get_by_test_id("copy-python").text_content() or ""
    done = subprocess.run([sys.executable, "-c", python], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = {one.name: one.plan for one in kept.client.plans(run.id).items}
    assert made == {name: Plan(epoch=3, ratio=0.2) for name in ("plan A", "plan A 2")}
    refused = kept.recede(*command[1:])  # it went to this service, which has that name now
    assert "already has a plan named 'plan A 2'" in refused.stderr
