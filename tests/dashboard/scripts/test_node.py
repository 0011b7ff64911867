"""The browser's modules have tests of their own on node; `make lint` checks their types."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.dashboard.scripts import fixtures

HERE = Path(__file__).parents[2] / "js"


def done(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)


def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not on the PATH")
    return found


def test_the_fixtures_hold_what_python_answers_now():
    stale = "python -m tests.dashboard.scripts.fixtures writes them anew"
    assert fixtures.FILE.read_text() == fixtures.text(), stale


def test_the_tests_on_node_pass():
    ran = done(node(), "--test", *sorted(path.name for path in HERE.glob("*.test.mjs")))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "# fail 0" in ran.stdout
    assert "# pass 0" not in ran.stdout
