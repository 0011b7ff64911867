"""The real service with one finished run, a real chromium, and tabs that tolerate no error."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from recede.contract.schemas import RunOut
from recede.contract.spec.run import RunSpec
from recede.contract.states import State
from tests.browser.screen import (
    PATIENCE_MS,
    Watch,
    watched,
)
from tests.service import (
    SMALL_RUN,
    Service,
    running,
)
from tests.worker_process import PATIENCE_S

expect.set_options(timeout=PATIENCE_MS)

DESKTOP = {"width": 1280, "height": 800}


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service that all pages but the empty start page are looked at with."""
    with running(tmp_path_factory.mktemp("service")) as started:
        try:
            yield started
        finally:  # a test may have put another process in its place
            started.process.terminate()
            started.process.wait(PATIENCE_S)


@pytest.fixture(scope="session")
def run(service: Service) -> RunOut:
    """One finished run with its curve, for every test that only looks and cuts."""
    answer = service.client.create_run(RunSpec.model_validate(SMALL_RUN))
    finished = service.finished_run(answer.run.id)
    assert finished.state == State.SUCCEEDED, finished.error
    return finished


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Ends with its module: Playwright keeps an event loop running that others cannot share."""
    with sync_playwright() as playwright:
        program = shutil.which("chromium")
        arguments = ["--no-sandbox", "--disable-gpu"]
        started = playwright.chromium.launch(executable_path=program, args=arguments)
        yield started
        started.close()


Opener = Callable[..., Page]


@pytest.fixture
def watches() -> Iterator[list[Watch]]:
    """What the tabs of a test have complained of; the test fails if they did."""
    seen: list[Watch] = []
    yield seen
    complaints = [line for watch in seen for line in watch.complaints()]
    assert complaints == []


@pytest.fixture
def new_tab(
    browser: Browser, watches: list[Watch], request: pytest.FixtureRequest
) -> Iterator[Opener]:
    """Opens tabs, each in a browser profile of its own: `new_tab("/", color_scheme="dark")`."""
    contexts = []

    def open_(path: str | None = None, *, url: str | None = None, **options: object) -> Page:
        if url is None:
            url = request.getfixturevalue("service").url
        context = browser.new_context(**{"viewport": DESKTOP, "base_url": url, **options})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        watches.append(watched(page, url))
        if path is not None:
            page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_tab: Opener) -> Page:
    """A tab of 1280×800 that has not been anywhere."""
    return new_tab()


@pytest.fixture
def watch(page: Page, watches: list[Watch]) -> Watch:
    """What happens in `page`."""
    return watches[0]
