"""Which room may import what, and the few rules on files that keep them readable."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from recede.cli.service.extras import WORKER_PACKAGES
from recede.contract.spec.run import IMPORTANCE
from tests.house import files

WEB = {
    *("annotated_types", "anyio", "fastapi", "httpx", "numpy", "pydantic", "pydantic_core"),
    *("sqlalchemy", "starlette"),
}
DASH = {
    *("dash", "dash_ag_grid", "dash_mantine_components", "fastapi", "plotly", "pydantic"),
    "starlette",
}
TORCH = {"safetensors", "torch", "torchvision"}


@dataclass(frozen=True)
class Room:
    """What the files of one place may import of ours and from outside, beside the stdlib.

    An entry covers everything below it. The room with the longest matching place counts.
    """

    place: str
    ours: set[str]
    outside: set[str]


ROOMS = (
    Room("backend", {"recede"}, WEB),
    Room("backend/recede/cli", {"recede", "recede_dashboard"}, WEB | {"rich", "typer", "uvicorn"}),
    Room(
        "backend/recede/client",
        {"recede.client", "recede.contract", "recede.contract.schemas"},
        {"httpx", "httpx_sse", "numpy", "pydantic"},
    ),
    Room("backend/recede/contract", {"recede.contract"}, {"annotated_types", "numpy", "pydantic"}),
    Room(
        "backend/recede/store",
        {"recede.contract", "recede.store"},
        {"alembic", "numpy", "sqlalchemy"},
    ),
    Room(
        "dashboard",
        {"recede.client", "recede_dashboard"},
        DASH,
    ),
    Room(
        "dashboard/recede_dashboard/figures",
        {"recede.client", "recede_dashboard.figures"},
        {"numpy", "plotly"},
    ),
    Room(
        "worker",
        {"recede.contract", "recede.store", "recede_worker"},
        TORCH | {"PIL", "filelock", "numpy", "psutil", "scipy", "sklearn", "sqlalchemy", "timm"},
    ),
    Room(
        "worker/recede_worker/core", {"recede.contract", "recede_worker.core"}, TORCH | {"numpy"}
    ),
    Room(
        "benchmarks",
        {"benchmarks", "recede", "recede_dashboard", "recede_worker"},
        WEB | TORCH | {"PIL", "alembic", "matplotlib", "playwright", "psutil"},
    ),
)

NOBODY_IMPORTS = {"recede.cli", "recede_worker.__main__"}
"""Where programs start: they compose, and nothing is built on them."""

UNTOUCHED_BY_CORE = {"datetime", "io", "os", "pathlib", "random", "socket", "sqlite3"}
"""Files, calendar and machine, which pure functions on tensors have no business with."""

PLUGIN_FOLDERS = (
    "worker/recede_worker/architectures",
    "worker/recede_worker/criteria",
    "worker/recede_worker/datasets",
    "worker/recede_worker/methods",
)
QUOTED = re.compile(r"""(["'`])([\w-]+)\1""")
MAX_FILE_LINES = 320
MAX_FUNCTION_LINES = 45

CODE = [p for p in files.under(*files.FOLDERS, "benchmarks", suffix=".py")]
OWN_PYTHON = [p for p in files.ours() if p.suffix == ".py" and not files.is_vendored(p)]
OWN_JS = [p for p in files.ours() if p.suffix == ".js" and not files.is_vendored(p)]


def room_of(path: Path) -> Room:
    name = path.as_posix()
    return max((r for r in ROOMS if name.startswith(r.place)), key=lambda room: len(room.place))


def covered(name: str, allowed: set[str]) -> bool:
    return any(name == entry or name.startswith(f"{entry}.") for entry in allowed)


def forbidden(path: Path) -> list[str]:
    room = room_of(path)
    wrong = []
    for name in files.imports(path):
        top = name.split(".")[0]
        if top in (*files.HOMES, "benchmarks", "tests"):
            program = covered(name, NOBODY_IMPORTS) and room.place != "backend/recede/cli"
            fine = covered(name, room.ours) and not program
        else:
            fine = top in sys.stdlib_module_names or covered(name, room.outside)
        if not fine:
            wrong.append(f"{path} imports {name}; {room.place} may not")
    return wrong


def test_every_import_goes_one_way():
    assert CODE
    wrong = [problem for path in CODE for problem in forbidden(path)]
    assert wrong == [], "\n".join(wrong)


def test_core_knows_no_files_clock_or_machine():
    wrong = [
        f"{path} imports {name}"
        for path in CODE
        if path.as_posix().startswith("worker/recede_worker/core/")
        for name in files.imports(path)
        if covered(name, UNTOUCHED_BY_CORE)
    ]
    assert wrong == []


# Typed here once more, and run in a process of its own: what is imported late counts as well.
WITHOUT_TORCH = """
import importlib, sys

HEAVY = set(sys.argv[2:])

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in HEAVY:
            raise ImportError(f"the web side must not import {name}")

sys.meta_path.insert(0, Refuse())
importlib.import_module(sys.argv[1])
assert not HEAVY & {name.split(".")[0] for name in sys.modules}
"""


ONLY_THE_WORKER = ("recede_worker", "timm", "torch_pruning")


@pytest.mark.parametrize("module", ["recede.cli", "recede.api.app", "recede_dashboard.app"])
def test_web_side_imports_where_the_extra_worker_is_missing(module):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, module, *WORKER_PACKAGES, *ONLY_THE_WORKER],
        cwd=files.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def plugin_files() -> list[Path]:
    """Files with a PLUGINS tuple: one plug-in, or one family of them."""
    return [
        path
        for path in files.under("worker", suffix=".py")
        if path.parent.as_posix() in PLUGIN_FOLDERS and "PLUGINS" in assigned(path)
    ]


def assigned(path: Path) -> set[str]:
    """Names that a module gives a value at its top level."""
    names = set()
    for node in files.tree(path).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def test_plugins_exist_in_each_folder():
    assert {path.parent.as_posix() for path in plugin_files()} == set(PLUGIN_FOLDERS)


def test_no_file_imports_a_plugin_by_name():
    plugins = {files.module_name(path) for path in plugin_files()}
    wrong = [
        f"{path} imports {name}"
        for path in CODE
        for name in files.imports(path)
        if covered(name, plugins) and not path.as_posix().startswith("benchmarks/")
    ]
    assert wrong == [], "a plug-in is found by the registry; a new one would not be in a list"


@pytest.mark.parametrize("home", plugin_files(), ids=str)
def test_only_its_own_file_names_a_plugin(home):
    # With torch, which only this test of the house needs.
    plugins = importlib.import_module(files.module_name(home)).PLUGINS
    # Of the criteria one is no choice among others: every run has it, and plans default to it.
    names = {plugin.name for plugin in plugins} - {IMPORTANCE}
    wrong = [
        f"{path} names {sorted(found)}"
        for path in files.under(*files.FOLDERS)
        if path != home and (found := names & constants(path))
    ]
    assert wrong == [], "adding a method, network or data set must touch one file"


def constants(path: Path) -> set[str]:
    """All whole strings of a Python or JavaScript file: "digits", but not a word in a text."""
    if path.suffix == ".js" and not files.is_vendored(path):
        return {found[2] for found in QUOTED.finditer(files.read(path))}
    if path.suffix != ".py":
        return set()
    nodes = ast.walk(files.tree(path))
    return {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def test_files_are_short():
    long = {
        str(path): lines
        for path in (*OWN_PYTHON, *OWN_JS)
        if (lines := files.read(path).count("\n")) > MAX_FILE_LINES
        and "migrations/versions" not in path.as_posix()
    }
    assert long == {}, f"over {MAX_FILE_LINES} lines; split by what a reader looks for"


def test_functions_are_short():
    long = {
        f"{path}:{node.lineno} {node.name}": lines
        for path in OWN_PYTHON
        if "migrations/versions" not in path.as_posix()
        for node in ast.walk(files.tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := body_lines(node)) > MAX_FUNCTION_LINES
    }
    assert long == {}, f"over {MAX_FUNCTION_LINES} lines"


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code; a docstring is the contract, and a signature of many options a table."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_every_module_says_what_it_is_for():
    silent = [
        str(path)
        for path in OWN_PYTHON
        if files.read(path).strip() and not ast.get_docstring(files.tree(path))
    ]
    assert silent == []


def test_every_script_says_what_it_is_for():
    silent = [str(p) for p in OWN_JS if not files.read(p).lstrip().startswith(("//", "/*"))]
    assert silent == []


def test_packages_do_not_print():
    loud = [
        f"{path}:{node.lineno}"
        for path in files.under(*files.FOLDERS, suffix=".py")
        for node in ast.walk(files.tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert loud == [], "the command line writes through rich, everything else logs"
