"""Prints every text that a user may read, with its place: python -m tests.house.ui_strings.

Of Python all strings that could be words, except docstrings and the names of keys; of
JavaScript all quoted strings and the fixed parts of templates. To be read in one go.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.house import files

JS_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)""",
    re.DOTALL,
)
HOLE = re.compile(r"\$\{[^}]*\}")
NOT_WORDS = re.compile(r"[a-z0-9_./:#\[\]{}()=,;*+&?%<>|\\^$\"'@~…-]*")
"""Keys, class names, paths and selectors: nothing that a page shows as it is."""
NAME = re.compile(r"[a-z]+([A-Z][a-z0-9]*)+|[A-Z][a-z]+([A-Z][a-z]+)+|[A-Z]+(_[A-Z]+)+")
STYLE = re.compile(r"[\w-]+( [\w-]+)*: ?[^ ]+;?|rx-.*|btn.*|rgb.*|use strict")
Found = tuple[int, str]


def is_text(value: str) -> bool:
    """Whether a string may be read by a user: it has a space between words, or a capital."""
    text = value.strip()
    if any(pattern.fullmatch(text) for pattern in (NOT_WORDS, NAME, STYLE)):
        return False
    return bool(re.search(r"[A-Za-z]{2}", text))


def python_texts(path: Path) -> Iterator[Found]:
    """Strings of a Python file by line; the parts of an f-string are put together."""
    tree = files.tree(path)
    silent = set(_docstrings(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            silent |= {id(part) for part in node.values}
            value = "".join(_part(part) for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) in silent:
                continue
            value = node.value
        else:
            continue
        if is_text(value):
            yield node.lineno, value


def _part(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else "{…}"


def _docstrings(tree: ast.Module) -> Iterator[int]:
    """Ids of strings that stand alone: they document the code and are shown nowhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)


def script_texts(path: Path) -> Iterator[Found]:
    """Strings of a JavaScript file by line; what a template inserts becomes "{…}"."""
    source = files.read(path)
    for found in JS_TOKEN.finditer(source):
        if found["text"] is None:
            continue
        value = HOLE.sub("{…}", found["text"][1:-1])
        if is_text(value):
            yield source.count("\n", 0, found.start()) + 1, value


def texts() -> Iterator[tuple[Path, Found]]:
    """All texts of the packages, by file."""
    readers = {".py": python_texts, ".js": script_texts, ".mjs": script_texts}
    for path in files.under(*files.FOLDERS):
        reader = readers.get(path.suffix)
        if reader and not files.is_vendored(path) and "migrations" not in path.parts:
            yield from ((path, found) for found in sorted(reader(path)))


def main() -> None:
    """Write one line per text: place, then the text on a single line."""
    for path, (line, value) in texts():
        sys.stdout.write(f"{path}:{line}\t{' '.join(value.split())}\n")


if __name__ == "__main__":
    main()
