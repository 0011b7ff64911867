"""What all tests share: a clean environment, few threads, and a word where chromium is missing."""

from __future__ import annotations

import os
import shutil

import hypothesis
import pytest

# Before torch is imported anywhere, and inherited by every process that a test starts.
os.environ.setdefault("OMP_NUM_THREADS", str(min(2, os.cpu_count() or 1)))

# No deadline: how long an example takes depends on the machine, and tests hold no timings.
hypothesis.settings.register_profile("recede", deadline=None, print_blob=True)
hypothesis.settings.load_profile("recede")


@pytest.fixture(autouse=True, scope="session")
def _no_settings_of_this_person(tmp_path_factory: pytest.TempPathFactory):
    """Tests see no RECEDE_… variable and no data folder of whoever runs them."""
    patch = pytest.MonkeyPatch()
    for name in [name for name in os.environ if name.startswith("RECEDE_")]:
        patch.delenv(name)
    patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data-home")))
    yield
    patch.undo()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip browser tests where there is no browser, with the reason."""
    if item.get_closest_marker("browser") and shutil.which("chromium") is None:
        pytest.skip("chromium is not on the PATH; Debian: apt-get install chromium")
