"""The real service with one finished run, a real chromium, and tabs that tolerate no error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    BrowserType,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from recede.contract.schemas import RunOut
from tests.browser.screen import (
    PATIENCE_MS,
    Watch,
    watched,
)
from tests.chromium import chromium
from tests.service import Service

expect.set_options(timeout=PATIENCE_MS)

DESKTOP: ViewportSize = {"width": 1280, "height": 800}


@pytest.fixture(scope="session")
def run(one_run: RunOut) -> RunOut:
    """One finished run with its curve, for every test that only looks and cuts."""
    return one_run


@pytest.fixture(scope="module")
def service(one_service: Service, lasting: set[str]) -> Iterator[Service]:
    """That service; the runs that a module made there end with it: the table stays short."""
    yield one_service
    client = one_service.client
    for other in client.runs(limit=200).items:
        if other.id in lasting:
            continue
        if not other.state.is_final:
            for job in client.jobs(run_id=other.id).items:
                if not job.state.is_final:
                    client.cancel_job(job.id)
            one_service.finished_run(other.id)
        client.delete_run(other.id)


Opener = Callable[..., Page]

OF_A_TAB = {"color_scheme", "reduced_motion", "viewport"}
"""Options that an open tab can take on; any other is the browser profile's."""


class Profiles:
    """Profiles of one browser. A test has each to itself and leaves it empty.

    What they loaded stays in their caches: a fresh profile reads 1.2 MB of scripts once more.
    The one that most tests want lies on the disk, where chromium keeps its compiled scripts, too:
    a page costs a quarter less processor time than in a profile that is in memory alone.
    """

    def __init__(self, chromium: BrowserType, program: str | None, folder: Path) -> None:
        self._chromium = chromium
        self._folder = folder
        self._start: Any = {"executable_path": program, "args": ["--no-sandbox", "--disable-gpu"]}
        self._on_disk: BrowserContext | None = None
        self._browser: Browser | None = None
        self._free: dict[str, list[BrowserContext]] = {}
        self._taken: list[tuple[str, BrowserContext]] = []
        self._sweepers: dict[BrowserContext, Sweeper] = {}

    def tab(self, url: str, *, own: bool = False, **options: Any) -> Page:
        """A tab in a profile that no other tab of this test has.

        With `own` in a new one: for tests that change the profile beyond what can be undone.
        """
        of_tab = {name: value for name, value in options.items() if name in OF_A_TAB}
        rest = {name: value for name, value in options.items() if name not in OF_A_TAB}
        sort = "" if own else f"{url} {rest}"
        free = self._free.setdefault(sort, [])
        if free and not own:
            context = free.pop()
        elif self._on_disk is None and not own and not rest:
            context = self._on_disk = self._new_on_disk(url)
        else:
            context = self._new(base_url=url, **rest)
        self._taken.append((sort, context))
        if sort and context not in self._sweepers:
            self._sweepers[context] = Sweeper(context, url)
        page = context.new_page()
        page.set_viewport_size(of_tab.pop("viewport", DESKTOP))
        if of_tab:
            page.emulate_media(**of_tab)
        return page

    def end_test(self) -> None:
        """Close all tabs; what pages kept is forgotten, what they loaded is not."""
        for sort, context in self._taken:
            if sort:
                self._sweepers[context].empty()
                self._free[sort].append(context)
            else:
                context.close()
        self._taken = []

    def close(self) -> None:
        """Close all profiles, and what they are profiles of."""
        for free in self._free.values():
            for context in free:
                context.close()
        if self._browser is not None:
            self._browser.close()

    def _new_on_disk(self, url: str) -> BrowserContext:
        context = self._chromium.launch_persistent_context(
            self._folder, viewport=DESKTOP, base_url=url, **self._start
        )
        context.set_default_timeout(PATIENCE_MS)
        return context

    def _new(self, **options: Any) -> BrowserContext:
        if self._browser is None:
            self._browser = self._chromium.launch(**self._start)
        context = self._browser.new_context(**{"viewport": DESKTOP, **options})
        context.set_default_timeout(PATIENCE_MS)
        return context


class Sweeper:
    """Empties a profile from a tab that stays: with its last tab a browser may end."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self._context = context
        self._tab = context.new_page()
        self._devtools = context.new_cdp_session(self._tab)
        self._kept = {"origin": url, "storageTypes": "cookies,local_storage,indexeddb"}

    def empty(self) -> None:
        """Close all other tabs and forget what they kept."""
        self._context.set_offline(False)
        for page in self._context.pages:
            if page is not self._tab:
                page.close()
        self._devtools.send("Storage.clearDataForOrigin", self._kept)


@dataclass
class Opened:
    """The one browser that is open, with its profiles."""

    program: str | None
    profiles: Profiles
    until: ExitStack


OPEN = pytest.StashKey[Opened]()


@pytest.fixture
def program() -> str | None:
    """Which browser a module's tests are run in."""
    return chromium()


@pytest.fixture
def profiles(pytestconfig: pytest.Config, program: str | None) -> Profiles:
    """Those of one browser for all tests in a row that want it: its start takes a second."""
    opened = pytestconfig.stash.get(OPEN, None)
    if opened is None or opened.program != program:
        close_browser(pytestconfig)
        until = ExitStack()
        # What chromium has started may still write when it has ended.
        folder = until.enter_context(TemporaryDirectory(ignore_cleanup_errors=True))
        playwright = until.enter_context(sync_playwright())
        made = Profiles(playwright.chromium, program, Path(folder))
        until.callback(made.close)
        pytestconfig.stash[OPEN] = opened = Opened(program, made, until)
    return opened.profiles


def close_browser(config: pytest.Config) -> None:
    """Close the browser that is open, if one is."""
    opened = config.stash.get(OPEN, None)
    if opened is not None:
        del config.stash[OPEN]
        opened.until.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Close it before other tests: Playwright's event loop runs on, and they need their own."""
    yield
    is_next = nextitem is not None and nextitem.path.is_relative_to(Path(__file__).parent)
    if not is_next:
        close_browser(item.config)


@pytest.fixture
def watches() -> Iterator[list[Watch]]:
    """What the tabs of a test have complained of; the test fails if they did."""
    seen: list[Watch] = []
    yield seen
    complaints = [line for watch in seen for line in watch.complaints()]
    assert complaints == []


@pytest.fixture
def new_tab(
    profiles: Profiles, watches: list[Watch], request: pytest.FixtureRequest
) -> Iterator[Opener]:
    """Opens tabs, each in a browser profile of its own: `new_tab("/", color_scheme="dark")`."""

    def open_(path: str | None = None, *, url: str | None = None, **options: Any) -> Page:
        if url is None:
            url = request.getfixturevalue("service").url
        page = profiles.tab(url, **options)
        watches.append(watched(page, url))
        if path is not None:
            page.goto(path)
        return page

    yield open_
    profiles.end_test()


@pytest.fixture
def page(new_tab: Opener) -> Page:
    """A tab of 1280×800 that has not been anywhere."""
    return new_tab()


@pytest.fixture
def watch(page: Page, watches: list[Watch]) -> Watch:
    """What happens in `page`."""
    return watches[0]
