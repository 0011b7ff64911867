"""Folders of the dashboard: no page imports another, and words know neither pages nor Dash."""

from __future__ import annotations

from pathlib import Path

from tests.house import files

HOME = Path("dashboard/recede_dashboard")
PAGES = "recede_dashboard.pages."


def modules(folder: str) -> list[Path]:
    return [
        path for path in files.under("dashboard", suffix=".py") if HOME / folder in path.parents
    ]


def page_of(name: str) -> str:
    """The page that a dotted name belongs to; empty for anything else."""
    return name.removeprefix(PAGES).split(".")[0] if name.startswith(PAGES) else ""


def test_no_page_imports_another():
    pages = modules("pages")
    assert pages
    wrong = [
        f"{path} imports {name}"
        for path in pages
        for name in files.imports(path)
        if page_of(name) not in ("", path.relative_to(HOME / "pages").with_suffix("").parts[0])
    ]
    assert wrong == [], "what two pages need lies in words, components or queries"


def test_what_pages_share_knows_no_page():
    shared = [
        path for name in ("components", "figures", "queries", "words") for path in modules(name)
    ]
    assert shared
    wrong = [
        f"{path} imports {name}"
        for path in shared
        for name in files.imports(path)
        if page_of(name)
    ]
    assert wrong == []


def test_words_need_no_dash():
    wrong = [
        f"{path} imports {name}"
        for path in modules("words")
        for name in files.imports(path)
        if name.split(".")[0] == "dash"
    ]
    assert wrong == []


def test_a_folder_holds_at_most_ten_modules():
    folders: dict[Path, int] = {}
    for path in files.under("dashboard", suffix=".py"):
        if path.name != "__init__.py":
            folders[path.parent] = folders.get(path.parent, 0) + 1
    assert {folder: n for folder, n in folders.items() if n > 10} == {}
