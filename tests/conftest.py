"""What all tests share: a clean environment, few threads, a PostgreSQL server, a browser check."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from recede.contract.schemas import RunOut
from recede.contract.spec.run import RunSpec
from recede.contract.states import State
from recede.store.database.engine import open_store, sqlite_url
from tests.chromium import chromium
from tests.postgres import find_server, running_server
from tests.service import SMALL_RUN, Service, running
from tests.worker_process import PATIENCE_S

# Before torch is imported anywhere, and inherited by every process that a test starts: the
# cores are shared with the other processes of pytest-xdist.
_cores = (os.cpu_count() or 1) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
os.environ.setdefault("OMP_NUM_THREADS", str(max(1, min(2, _cores))))

# pytest-xdist hands the width of its terminal on, and a console keeps the one it finds first.
os.environ.pop("COLUMNS", None)

# No deadline: how long an example takes depends on the machine, and tests hold no timings.
hypothesis.settings.register_profile("recede", deadline=None, print_blob=True)
hypothesis.settings.load_profile("recede")


@pytest.fixture(autouse=True, scope="session")
def _no_settings_of_this_person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests see no RECEDE_… variable and no data folder of whoever runs them."""
    patch = pytest.MonkeyPatch()
    for name in [name for name in os.environ if name.startswith("RECEDE_")]:
        patch.delenv(name)
    patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data-home")))
    yield
    patch.undo()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all tables and no rows: copying it is faster than migrating each time."""
    path = tmp_path_factory.mktemp("template") / "recede.db"
    open_store(sqlite_url(path)).close()
    return path


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of an empty database on a server of this session's own; skips where there is none."""
    programs = find_server()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed; Debian: apt-get install postgresql")
    with running_server(programs) as url:
        yield url


@pytest.fixture(scope="session")
def one_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service of this process's tests in browser/ and integration/."""
    with running(tmp_path_factory.mktemp("service")) as started:
        try:
            yield started
        finally:  # a test may have put another process in its place
            started.process.terminate()
            started.process.wait(PATIENCE_S)


@pytest.fixture(scope="session")
def lasting() -> set[str]:
    """Ids of runs of that service that outlast their module."""
    return set()


@pytest.fixture(scope="session")
def one_run(one_service: Service, lasting: set[str]) -> RunOut:
    """One finished run of it, with its curve."""
    answer = one_service.client.create_run(RunSpec.model_validate(SMALL_RUN))
    finished = one_service.finished_run(answer.run.id)
    assert finished.state == State.SUCCEEDED, finished.error
    lasting.add(finished.id)
    return finished


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip browser tests where there is no browser, with the reason."""
    if item.get_closest_marker("browser") and chromium() is None:
        pytest.skip("no chromium is on the PATH; Debian: apt-get install chromium-headless-shell")


SLOW_FIRST = ("browser", "faults", "integration", "worker")
"""Folders whose files take long: begun last, one of them would run while the others wait."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow folders first; `--dist loadfile` keeps the tests of a file in one process."""
    items.sort(key=_place)  # stable: within a folder as they were collected


def _place(item: pytest.Item) -> int:
    folder = item.nodeid.split("/")[1]
    return SLOW_FIRST.index(folder) if folder in SLOW_FIRST else len(SLOW_FIRST)
