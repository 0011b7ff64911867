"""A folder is an idea with a name: few files, none of which repeats the name of its folder."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.house import files

MOST = 10
CROWDED: dict[str, str] = {
    "benchmarks": "each file is a command, and `make bench` runs all of them"
}
"""Folders that may hold more files, each with the reason."""

PREFIXED: dict[str, str] = {}
"""Files that may begin with the name of their folder, each with the reason."""

SUFFIXES = {".py", ".js", ".css"}


def code_folders() -> dict[Path, list[Path]]:
    """Folders of the packages and the tests with the code that lies in each."""
    folders: dict[Path, list[Path]] = {}
    for path in files.under(*files.FOLDERS, "tests", "benchmarks"):
        if path.suffix in SUFFIXES and path.name != "__init__.py" and not files.is_vendored(path):
            folders.setdefault(path.parent, []).append(path)
    return folders


def test_a_folder_holds_at_most_ten_files():
    crowded = {
        str(folder): len(inside) for folder, inside in code_folders().items() if len(inside) > MOST
    }
    assert {name: n for name, n in crowded.items() if name not in CROWDED} == {}
    assert sorted(CROWDED.keys() - crowded.keys()) == [], "no longer crowded"


def test_no_file_repeats_the_name_of_its_folder():
    found = {
        str(path)
        for folder, inside in code_folders().items()
        for path in inside
        if _repeats(path.stem, folder.name)
    }
    assert found - PREFIXED.keys() == set()
    assert sorted(PREFIXED.keys() - found) == []


def _repeats(stem: str, folder: str) -> bool:
    words = stem.removeprefix("test_").replace("-", "_").split("_")
    singular = {folder, folder.removesuffix("s"), folder.removesuffix("es")}
    return len(words) > 1 and words[0] in singular


def test_no_three_files_of_a_folder_share_their_first_word():
    """They would be a folder of that name."""
    found = {
        str(folder): first
        for folder, inside in code_folders().items()
        for first, count in Counter(_first_word(path) for path in inside).items()
        if first and count >= 3
    }
    assert found == {}


def _first_word(path: Path) -> str:
    first, _, rest = path.stem.removeprefix("test_").replace("-", "_").partition("_")
    return first if rest else ""


def test_no_module_is_called_utils():
    vague = {"utils", "util", "helpers", "helper", "misc", "common", "tools"}
    found = [
        str(path) for path in files.under(*files.FOLDERS) if {path.stem, path.parent.name} & vague
    ]
    assert found == []
