"""Imports run one way: between files, between folders, and to the outside."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from recede.cli.service.extras import WORKER_PACKAGES
from tests.architecture import graph
from tests.architecture.rooms import OUTSIDE, PYTHON, SCRIPTS, Allowed
from tests.house import files

ONLY_THE_WORKER = {*WORKER_PACKAGES, "recede_worker", "lightning", "timm", "torch_pruning"}
"""What the web side must run without."""


@pytest.mark.parametrize(
    "found",
    [graph.python_files(), graph.python_folders(), graph.script_files(), graph.script_folders()],
    ids=["python files", "python folders", "script files", "script folders"],
)
def test_no_import_leads_back(found: graph.Graph):
    assert found
    assert graph.cycles(found) == []


@pytest.mark.parametrize(
    ("found", "allowed"),
    [(graph.python_folders(), PYTHON), (graph.script_folders(), SCRIPTS)],
    ids=["python", "scripts"],
)
def test_each_folder_imports_only_what_its_room_may(found: graph.Graph, allowed: Allowed):
    assert sorted(found.keys() - allowed.keys()) == [], "a new folder needs a line in rooms.py"
    assert sorted(allowed.keys() - found.keys()) == [], "rooms.py names a folder that is gone"
    wrong = [
        f"{folder} imports {other}"
        for folder, imported in found.items()
        for other in sorted(imported)
        if not any(other == name or _below(other, name) for name in allowed[folder])
    ]
    assert wrong == [], "move the code, or say in rooms.py why this folder may"


def _below(folder: str, name: str) -> bool:
    """Whether a folder lies under one that is named with a star: `recede.contract.*`."""
    base = name.removesuffix("*").rstrip("./")
    return name.endswith("*") and (folder == base or folder.startswith((f"{base}.", f"{base}/")))


def test_each_room_uses_only_its_libraries():
    wrong = [
        f"{path} imports {name}"
        for path in files.under(*files.FOLDERS, "benchmarks", suffix=".py")
        for name in files.imports(path)
        if (top := name.split(".")[0]) not in (*files.HOMES, "benchmarks", "tests")
        and top not in sys.stdlib_module_names
        and top not in _libraries(files.module_name(path))
    ]
    assert wrong == []


def _libraries(module: str) -> frozenset[str]:
    rooms = [room for room in OUTSIDE if module == room or module.startswith(f"{room}.")]
    return OUTSIDE[max(rooms, key=len)]


UNTOUCHED_BY_CORE = {"datetime", "io", "os", "pathlib", "random", "socket", "sqlite3"}
"""Files, calendar and machine, which pure functions on tensors have no business with."""


def test_core_knows_no_files_clock_or_machine():
    wrong = [
        f"{path} imports {name}"
        for path in files.under("worker", suffix=".py")
        if files.module_name(path).startswith("recede_worker.core.")
        for name in files.imports(path)
        if name.split(".")[0] in UNTOUCHED_BY_CORE
    ]
    assert wrong == []


# Run in a process of its own: what is imported late counts as well.
WITHOUT = """
import importlib, sys

HEAVY = set(sys.argv[2:])

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in HEAVY:
            raise ImportError(f"neither web side nor supervisor imports {name}")

sys.meta_path.insert(0, Refuse())
importlib.import_module(sys.argv[1])
assert not HEAVY & {name.split(".")[0] for name in sys.modules}
"""


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("recede.cli", ONLY_THE_WORKER),
        ("recede.api.app", ONLY_THE_WORKER),
        ("recede_dashboard.app", ONLY_THE_WORKER),
        ("recede_worker.__main__", {"torch", "torchvision"}),  # the supervisor
    ],
)
def test_web_side_and_supervisor_import_nothing_heavy(module: str, heavy: set[str]):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, module, *sorted(heavy)],
        cwd=files.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_nothing_runs_dash_or_torch_code_through_a_string():
    """`importlib.import_module("recede_worker…")` on the web side would be an import unseen."""
    wrong = [
        f"{path}:{node.lineno}"
        for path in files.under("backend", "dashboard", suffix=".py")
        for node in ast.walk(files.tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("import_module", "__import__")
    ]
    assert wrong == []
