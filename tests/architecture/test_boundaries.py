"""Where the outside comes in: the environment, and errors of any kind."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.house import files

READS_THE_ENVIRONMENT: dict[str, str] = {}
CATCHES_EVERYTHING: dict[str, str] = {}


def test_the_environment_is_read_where_programs_start():
    found = {
        str(path)
        for path in files.under(*files.FOLDERS, suffix=".py")
        for node in ast.walk(files.tree(path))
        if isinstance(node, ast.Attribute) and _name(node) in ("os.environ", "os.getenv")
    }
    assert found == set(READS_THE_ENVIRONMENT)


def _name(node: ast.Attribute) -> str:
    inner = node.value
    return f"{inner.id}.{node.attr}" if isinstance(inner, ast.Name) else ""


def test_errors_of_any_kind_are_caught_at_boundaries_alone():
    found = {
        f"{path}:{_function(path, node)}"
        for path in files.under(*files.FOLDERS, suffix=".py")
        for node in ast.walk(files.tree(path))
        if isinstance(node, ast.ExceptHandler) and _catches_all(node)
    }
    assert found == set(CATCHES_EVERYTHING)


def _catches_all(node: ast.ExceptHandler) -> bool:
    """Whether it swallows anything; one that only cleans up and raises again does not."""
    names = (
        {one.id for one in ast.walk(node.type) if isinstance(one, ast.Name)}
        if node.type
        else set()
    )
    broad = node.type is None or bool(names & {"Exception", "BaseException"})
    again = any(isinstance(one, ast.Raise) and one.exc is None for one in ast.walk(node))
    return broad and not again


def _function(path: Path, handler: ast.ExceptHandler) -> str:
    holders = [
        node
        for node in ast.walk(files.tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.lineno <= handler.lineno <= (node.end_lineno or 0)
    ]
    return max(holders, key=lambda node: node.lineno).name if holders else "module"
