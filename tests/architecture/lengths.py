"""Prints files and functions that are long: a hint, and no failure. `make lint` shows it.

python -m tests.architecture.lengths
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from tests.house import files

FILE_LINES = 300
FUNCTION_LINES = 45


def long_files() -> Iterator[str]:
    """Files over the length that one can keep in mind."""
    for path in files.ours():
        own = path.suffix in (".py", ".js", ".mjs", ".css") and not files.is_vendored(path)
        lines = files.read(path).count("\n") if own else 0
        if lines > FILE_LINES and "migrations/versions" not in path.as_posix():
            yield f"{path}: {lines} lines"


def long_functions() -> Iterator[str]:
    """Functions over the length that one can keep in mind."""
    for path in files.ours():
        if path.suffix != ".py" or "migrations/versions" in path.as_posix():
            continue
        for node in ast.walk(files.tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = _body_lines(node)
                if lines > FUNCTION_LINES:
                    yield f"{path}:{node.lineno} {node.name}: {lines} lines"


def _body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code; a docstring is the contract, and a signature of many options a table."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


if __name__ == "__main__":
    for found in (*long_files(), *long_functions()):
        sys.stdout.write(f"long: {found}\n")
