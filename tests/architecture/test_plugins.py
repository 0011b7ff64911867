"""A method, criterion, architecture or data set is one file, and no other file names it."""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache
from pathlib import Path

import pytest

from recede.contract.spec.run import IMPORTANCE
from tests.house import files

KINDS = ("architectures", "criteria", "datasets", "methods")
ROOT = Path("worker/recede_worker")
WORDS_OF_EVERY_DAY = {"chance", "digits", "filters", "folder", "random", "timm"}
"""Names that texts use in another sense, or for a library: only a whole string names these."""

QUOTED = re.compile(r"""(["'`])((?:(?!\1)[^\\\n]|\\.)*)\1""")


@cache
def plugin_files() -> tuple[Path, ...]:
    """Files with a PLUGINS tuple: one plug-in, or one family of them."""
    return tuple(
        path
        for path in files.under("worker", suffix=".py")
        if path.parent in {ROOT / kind for kind in KINDS} and "PLUGINS" in _assigned(path)
    )


def _assigned(path: Path) -> set[str]:
    """Names that a module gives a value at its top level."""
    names = set()
    for node in files.tree(path).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def test_plugins_exist_in_each_folder():
    assert {path.parent for path in plugin_files()} == {ROOT / kind for kind in KINDS}


def test_no_file_imports_a_plugin_by_name():
    plugins = {files.module_name(path) for path in plugin_files()}
    wrong = [
        f"{path} imports {name}"
        for path in files.under(*files.FOLDERS, suffix=".py")
        for name in files.imports(path)
        if any(name == plugin or name.startswith(f"{plugin}.") for plugin in plugins)
    ]
    assert wrong == [], "a plug-in is found by the registry; a new one would not be in a list"


@pytest.mark.parametrize("home", plugin_files(), ids=str)
def test_only_its_own_file_names_a_plugin(home: Path):
    # With torch, which only this test of the house needs.
    plugins = importlib.import_module(files.module_name(home)).PLUGINS
    # Of the criteria one is no choice among others: every run has it, and plans default to it.
    names = {plugin.name for plugin in plugins} - {IMPORTANCE}
    wrong = [
        f"{path} names {sorted(found)}"
        for path in files.under(*files.FOLDERS)
        if path != home and (found := _named(names, path))
    ]
    assert wrong == [], "adding a plug-in must touch one file"


def _named(names: set[str], path: Path) -> set[str]:
    # A plug-in may say in its own description which other it resembles.
    whole_only = path in plugin_files()
    return {
        name
        for name in names
        for text in _texts(path)
        if _names(text, name, whole_only=whole_only)
    }


def _names(text: str, name: str, *, whole_only: bool) -> bool:
    if whole_only or name in WORDS_OF_EVERY_DAY:
        return text == name
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text, re.I) is not None


@cache
def _texts(path: Path) -> frozenset[str]:
    """All strings of a Python or JavaScript file that a program or a user reads."""
    if path.suffix == ".js" and not files.is_vendored(path):
        texts = (found[2] for found in QUOTED.finditer(files.read(path)))
        return frozenset(re.sub(r"\$\{[^}]*\}", "", text) for text in texts)
    if path.suffix != ".py":
        return frozenset()
    tree = files.tree(path)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    return frozenset(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
    )
