"""Nothing is loaded from outside the machine, and no file names where this one gets things."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house import files

# In two parts, so that this file does not name them either.
REGISTRIES = [
    f"{name}.{end}"
    for name, end in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("download.pytorch", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb.debian", "org"),
        ("anaconda", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("crates", "io"),
    )
]
MACHINE_PATH = re.compile(r"(?<![\w./~<>{}$-])/(?:work|root|home|Users|opt)/\w")
"""Folders of one machine or person; /usr/share and /usr/bin are Debian's and the same anywhere."""

OUTSIDE = re.compile(r"(?:https?:|wss?:)?//(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)+)[/:\"'`)\s]", re.I)
HERE = {"127.0.0.1", "localhost", "0.0.0.0"}
NAMES_ONLY = {"www.w3.org"}
"""Namespaces of XML and SVG: names that look like addresses and are never asked."""

LINKS = {"arxiv.org"}
"""Hosts that a page may link to; a link loads nothing until a person follows it."""

LOADS = re.compile(
    r"""(?:@import\s+(?:url\()?|\burl\(|importScripts\(|\b(?:src|srcset)=|\bimport\()\s*["']?https?://""",
    re.I,
)
ASSETS = (".js", ".css", ".html", ".svg", ".json", ".webmanifest")


def texts() -> list[Path]:
    return [path for path in files.ours() if not files.is_vendored(path)]


@pytest.mark.parametrize("host", REGISTRIES)
def test_no_file_names_a_registry(host):
    assert [str(path) for path in texts() if host in files.read(path)] == []


def test_no_file_names_a_path_of_one_machine():
    found = [
        f"{path}: {match[0]}…"
        for path in texts()
        for match in MACHINE_PATH.finditer(files.read(path))
        if path != Path(__file__).relative_to(files.ROOT)
    ]
    assert found == []


def test_page_and_service_name_no_outside_host():
    web = [p for p in files.under("backend", "dashboard") if p.suffix in (".py", *ASSETS)]
    found = [
        f"{path}: {match['host']}"
        for path in web
        if not files.is_vendored(path)
        for match in OUTSIDE.finditer(files.read(path))
        if match["host"] not in HERE | NAMES_ONLY | LINKS
    ]
    assert found == []


def test_vendored_files_load_nothing_from_outside():
    vendored = [p for p in files.under("backend", "dashboard") if files.is_vendored(p)]
    found = [
        f"{path}: {match[0]}"
        for path in vendored
        if path.suffix in ASSETS
        for match in LOADS.finditer(files.read(path))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "caught"),
    [
        ('fetch("https://cdn.example.com/a.js")', True),
        ("background: url(//fonts.example.com/a)", True),
        ("a = 7 // 2.5", False),
        ("http://127.0.0.1:8400/healthz", True),  # matched, and allowed by its host
    ],
)
def test_the_pattern_sees_addresses(text, caught):
    assert bool(OUTSIDE.search(text)) is caught
