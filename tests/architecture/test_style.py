"""Every file says what it is for, and packages do not print."""

from __future__ import annotations

import ast

from tests.house import files

OWN_PYTHON = [p for p in files.ours() if p.suffix == ".py" and not files.is_vendored(p)]
OWN_SCRIPTS = [p for p in files.ours() if p.suffix in (".js", ".mjs") and not files.is_vendored(p)]


def test_every_module_says_what_it_is_for():
    silent = [
        str(path)
        for path in OWN_PYTHON
        if files.read(path).strip() and not ast.get_docstring(files.tree(path))
    ]
    assert silent == []


def test_every_script_says_what_it_is_for():
    silent = [str(p) for p in OWN_SCRIPTS if not files.read(p).lstrip().startswith(("//", "/*"))]
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
