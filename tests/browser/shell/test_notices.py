"""Being told of a run elsewhere: the browser's own notices, and the webhook on Settings."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from recede.contract.schemas import RunOut
from recede.store.database.engine import open_store, sqlite_url
from recede.store.events import log
from tests.backend.receiver import Receiver, receiving
from tests.browser.conftest import Opener
from tests.browser.screen import Watch, module
from tests.service import Service
from tests.worker_process import eventually

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# What would be shown is kept for the test to read; the rest of it is the browser's own.
SPY = """
window.shownNotices = [];
window.Notification = class extends window.Notification {
  constructor(title, options) {
    super(title, options);
    window.shownNotices.push({ title, ...options });
    window.lastNotice = this;
  }
};
"""
HIDDEN = """
window.wantsHidden = false;
const sight = () => (window.wantsHidden ? "hidden" : "visible");
for (const [name, get] of [["hidden", () => window.wantsHidden], ["visibilityState", sight]])
  Object.defineProperty(Document.prototype, name, { get });
"""
HIDE = """(hidden) => {
  window.wantsHidden = hidden;
  document.dispatchEvent(new Event("visibilitychange"));
}"""
IN_SIGHT = """async () =>
  (await navigator.locks.query()).held.some((lock) => lock.name === "recede:in-sight")"""
SHOWN = "() => window.shownNotices"


@pytest.fixture
def program() -> str:
    """The whole browser: its headless shell shows no notifications."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("chromium's shell shows no notifications; Debian: apt-get install chromium")
    return found


@pytest.fixture
def tell(service: Service, run: RunOut) -> Iterator[Callable[..., None]]:
    """Adds an event of the run, as the service does when it finishes, fails or stalls."""
    store = open_store(sqlite_url(service.folder / "data" / "recede.db"))

    def add(**data: object) -> None:
        with store.write() as session:
            log.append(session, "run", run_id=run.id, data=dict(data))

    yield add
    store.close()


@pytest.fixture
def page(new_tab: Opener) -> Page:
    """A tab in a profile of its own: permissions and scripts of a profile cannot be taken back."""
    return new_tab(own=True)


@pytest.fixture
def two_tabs(page: Page, watches: list[Watch]) -> tuple[Page, Page]:
    """Two tabs of one browser that lets Recede show notices; the first one on Settings."""
    page.context.grant_permissions(["notifications"])
    page.context.add_init_script(SPY + HIDDEN)
    other = page.context.new_page()
    page.goto("/settings")
    other.goto("/")
    for tab in (page, other):
        online = f"async () => (await {module('api/live.js')}).isOnline()"
        eventually(lambda tab=tab, online=online: tab.evaluate(online), "a tab to be online")
    return page, other


def hide(*tabs: Page) -> None:
    for tab in tabs:
        tab.evaluate(HIDE, True)
    eventually(lambda: not tabs[0].evaluate(IN_SIGHT), "no tab to be in sight")


def shown(*tabs: Page) -> list[str]:
    """Titles of the browser's notices of all tabs."""
    return [notice["title"] for tab in tabs for notice in tab.evaluate(SHOWN)]


def seen_in_the_page(tabs: tuple[Page, Page], title: str) -> None:
    """Wait until both tabs have heard of the event."""
    for tab in tabs:
        expect(tab.locator(".notice", has_text=title).last).to_be_visible()


def wait_for_one(tabs: tuple[Page, Page], number: int) -> None:
    kept = "Object.keys(localStorage).filter((key) => key.startsWith('recede:notice-shown'))"
    tabs[0].wait_for_function(f"(n) => {kept}.length === n", arg=number)


def switch(page: Page, on: bool) -> None:
    box = page.get_by_test_id("notices-switch")
    expect(box).to_be_enabled()
    box.set_checked(on, force=True)
    expect(page.get_by_test_id("notices-words")).to_have_text(re.compile("^On" if on else "^Off"))


def test_each_event_is_shown_once_and_only_while_no_tab_is_in_sight(
    two_tabs: tuple[Page, Page], tell: Callable[..., None], run: RunOut
):
    page, other = two_tabs
    hide(page, other)
    tell(state="failed")  # not wanted yet
    seen_in_the_page(two_tabs, "Failed")
    page.evaluate(HIDE, False)
    switch(page, True)
    tell(stalled=True)  # one tab is looked at
    seen_in_the_page(two_tabs, "Stalled")
    assert shown(page, other) == []

    hide(page, other)
    tell(state="succeeded")
    wait_for_one(two_tabs, 1)
    tell(stalled=True)
    wait_for_one(two_tabs, 2)
    assert sorted(shown(page, other)) == [f"Finished: {run.name}", f"Stalled: {run.name}"]
    told = [notice for tab in two_tabs for notice in tab.evaluate(SHOWN)]
    bodies = {notice["title"].partition(":")[0]: notice["body"] for notice in told}
    assert re.search(r"[\d.]+\s% of [\d,]+ test images", bodies["Finished"])
    assert "last finished epoch" in bodies["Stalled"]
    assert len({notice["tag"] for notice in told}) == 2


def test_a_click_on_a_notice_opens_the_run_and_the_switch_is_remembered(
    two_tabs: tuple[Page, Page], tell: Callable[..., None], run: RunOut
):
    page, other = two_tabs
    switch(page, True)
    page.reload()
    expect(page.get_by_test_id("notices-switch")).to_be_checked()
    streams: list[Route] = []
    page.route("**/api/v1/events*", lambda route: streams.append(route))
    other.close()  # it held the stream of both
    hide(page)
    eventually(lambda: page.evaluate("1") and streams, "the stream of the tab that is left")
    tell(state="succeeded")  # before that stands
    streams[0].continue_()
    page.wait_for_function("() => window.shownNotices.length === 1")
    page.evaluate("() => window.lastNotice.onclick()")
    expect(page).to_have_url(re.compile(f"/runs/{run.id}"))
    page.goto("/settings")
    switch(page, False)


def test_a_browser_that_refuses_is_said_in_words(page: Page):
    page.add_init_script(
        "Object.defineProperty(Notification, 'permission', { get: () => 'denied' })"
    )
    page.goto("/settings")
    expect(page.get_by_test_id("notices-words")).to_contain_text("This browser blocks")
    expect(page.get_by_test_id("notices-switch")).to_be_disabled()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


def test_the_webhook_is_set_tested_and_switched_off(
    page: Page, watch: Watch, service: Service, receiver: Receiver
):
    words = page.get_by_test_id("webhook-words")
    page.goto("/settings")
    expect(words).to_have_text("Off: nothing is sent.")
    expect(page.get_by_test_id("webhook-test")).to_be_hidden()
    address = page.get_by_test_id("webhook-url")
    address.fill("ftp://somewhere")
    address.press("Enter")
    expect(page.locator(".webhook .mantine-InputWrapper-error")).to_contain_text("http://")
    watch.tolerate("422")
    assert service.client.webhook().url is None

    address.fill(receiver.url)
    page.get_by_test_id("webhook-save").click()
    expect(words).to_have_text("Nothing has been sent yet.")
    page.get_by_test_id("webhook-test").click()
    expect(words).to_have_text(re.compile(r"^Last sent .* \(test\): answer 200\.$"))
    assert receiver.bodies[0]["event"] == "test"
    page.reload()
    expect(address).to_have_value(receiver.url)
    receiver.statuses = [404]
    service.client.test_webhook()  # by somebody else: the page follows
    expect(words).to_have_text(re.compile("answer 404; no retry"))
    page.get_by_test_id("webhook-off").click()
    expect(address).to_have_value("")
    expect(page.get_by_test_id("webhook-off")).to_be_hidden()
    assert service.client.webhook().url is None
