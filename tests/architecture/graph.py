"""Who imports whom: the graph of our files and of the folders that they lie in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path, PurePosixPath

from tests.house import files

Graph = dict[str, set[str]]
SCRIPTS = Path("dashboard/recede_dashboard/assets/app")
IMPORTED = re.compile(
    r"""(?:^\s*(?:import|export)\b[^"'`;]*?\bfrom\s*|^\s*import\s*|\bimport\()["'](\.[^"']+)["']""",
    re.M,
)
"""A relative import or export of a module, or a module that is loaded when it is needed."""


@cache
def python_files() -> Graph:
    """Dotted name of each Python file of the packages, with those that it imports."""
    modules = {files.module_name(path): path for path in files.under(*files.FOLDERS, suffix=".py")}
    return {
        name: {_module(wanted, modules) for wanted in files.imports(path)} - {"", name}
        for name, path in modules.items()
        if "migrations.versions" not in name
    }


def _module(wanted: str, modules: Mapping[str, Path]) -> str:
    """The file behind a dotted name: `recede.states.State` lies in `recede.states`."""
    while wanted and wanted not in modules:
        wanted = wanted.rpartition(".")[0]
    return wanted


def python_folders() -> Graph:
    """Dotted name of each package, with those that its own files import."""
    return _folders(python_files(), _package)


def _package(module: str) -> str:
    home = files.HOMES[module.partition(".")[0]]
    is_package = (files.ROOT / home / module.replace(".", "/")).is_dir()
    return module if is_package else module.rpartition(".")[0]


@cache
def script_files() -> Graph:
    """Path of each script under assets/app, with those that it imports."""
    paths = [path for path in files.under("dashboard", suffix=".js") if SCRIPTS in path.parents]
    return {_below(path): _imported_by(path) for path in paths}


def _imported_by(script: Path) -> set[str]:
    wanted = IMPORTED.findall(files.read(script))
    return {_below(Path(_joined(script.parent, one))) for one in wanted}


def script_folders() -> Graph:
    """Path of each folder under assets/app, with those that its own scripts import."""
    return _folders(script_files(), lambda script: script.rpartition("/")[0] or ".")


def _below(path: Path) -> str:
    return path.relative_to(SCRIPTS).as_posix()


def _joined(folder: Path, relative: str) -> str:
    parts: list[str] = []
    for part in PurePosixPath(folder.as_posix(), relative).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def _folders(graph: Graph, folder_of: object) -> Graph:
    assert callable(folder_of)
    folders: Graph = {}
    for file, imported in graph.items():
        home = folder_of(file)
        folders.setdefault(home, set()).update(folder_of(other) for other in imported)
        folders[home].discard(home)
    return folders


def cycles(graph: Graph) -> list[list[str]]:
    """Every set of nodes that reach each other; empty if there is no way back."""
    reach = {node: _reachable(node, graph) for node in graph}
    groups = {
        tuple(sorted(other for other in reach[node] if node in reach.get(other, ())))
        for node in graph
        if node in reach[node]
    }
    return [list(group) for group in sorted(groups)]


def _reachable(start: str, graph: Graph) -> set[str]:
    found: set[str] = set()
    waiting: Iterable[str] = list(graph[start])
    while waiting:
        new = set(waiting) - found
        found |= new
        waiting = [other for node in new for other in graph.get(node, ())]
    return found
