"""The project's own files, as the house rules see them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOMES = {"recede": "backend", "recede_dashboard": "dashboard", "recede_worker": "worker"}
"""Our packages, each in the top-level folder that it lies in."""
FOLDERS = tuple(HOMES.values())
VENDORED = ("vendor/", ".min.js", ".min.css")
"""Parts of a path that mark a file of somebody else, kept as it came."""


@cache
def ours() -> tuple[Path, ...]:
    """Every file that is, or would be, in the repository; relative to its root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = (Path(name) for name in sorted(listed.split("\0")) if name)
    return tuple(path for path in paths if (ROOT / path).is_file())


def under(*folders: str, suffix: str = "") -> list[Path]:
    """Our files below these folders, with this ending."""
    return [p for p in ours() if p.parts[0] in folders and p.name.endswith(suffix)]


def is_vendored(path: Path) -> bool:
    """Whether somebody else wrote it."""
    return any(mark in path.as_posix() for mark in VENDORED)


def read(path: Path) -> str:
    """Text of a file given relative to the root; binary files read as nothing."""
    data = (ROOT / path).read_bytes()
    return "" if b"\0" in data else data.decode("utf-8")


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a Python file given relative to the root."""
    return ast.parse(read(path), filename=str(path))


def module_name(path: Path) -> str:
    """Dotted name of a Python file: backend/recede/store/__init__.py is recede.store."""
    parts = path.with_suffix("").parts
    parts = parts[1:] if parts[0] in FOLDERS else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    """Dotted name of everything that a file imports, wherever in it the import stands."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from _from(path, node)


def _from(path: Path, node: ast.ImportFrom) -> Iterator[str]:
    base = node.module or ""
    if node.level:
        package = list(path.parts[:-1])
        base = ".".join(package[: len(package) - node.level + 1] + ([base] if base else []))
    # "from recede import client" imports recede.client, "from httpx import Client" httpx.
    if is_package(base):
        yield from (f"{base}.{alias.name}" for alias in node.names)
    else:
        yield base


def is_package(name: str) -> bool:
    """Whether a dotted name is one of our folders."""
    home = HOMES.get(name.split(".", maxsplit=1)[0])
    return home is not None and (ROOT / home / name.replace(".", "/")).is_dir()
