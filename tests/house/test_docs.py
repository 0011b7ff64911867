"""The documents name every setting and command, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from recede.cli import app
from recede.settings import VARIABLES
from tests.house import files

MARKDOWN = [path for path in files.ours() if path.suffix == ".md"]
LINK = re.compile(r"!?\[[^\]]*\]\(<?(?P<target>[^)>\s]+)>?\)")
FENCE = re.compile(r"^```.*?^```$", re.M | re.S)
README = files.read(Path("README.md"))
CLI = files.read(Path("docs/cli.md"))


def commands() -> dict[str, Any]:
    listed = get_command(app).commands
    return {name: command for name, command in listed.items() if not command.hidden}


@pytest.mark.parametrize("name", VARIABLES)
def test_every_setting_is_in_the_readme(name):
    assert f"`{name}`" in README


def test_no_document_names_a_setting_that_does_not_exist():
    for path in MARKDOWN:
        named = set(re.findall(r"\bRECEDE_[A-Z_]+\b", files.read(path)))
        compose = set(re.findall(r"\$\{(RECEDE_[A-Z_]+)", files.read(Path("docker-compose.yml"))))
        assert named <= VARIABLES.keys() | compose, path


def test_every_command_is_described():
    assert [name for name in commands() if f"`recede {name}" not in README + CLI] == []


def code(path: Path) -> str:
    """Everything in a document that is set as code, one piece a line."""
    text = files.read(path)
    return "\n".join([*FENCE.findall(text), *re.findall(r"`([^`\n]+)`", FENCE.sub("", text))])


@pytest.mark.parametrize("path", MARKDOWN, ids=str)
def test_no_document_names_a_command_that_does_not_exist(path):
    named = set(re.findall(r"(?:^|[/ ])recede ([a-z]+)\b", code(path), re.M))
    assert named <= set(commands())


@pytest.mark.parametrize("path", MARKDOWN, ids=str)
def test_documented_options_exist(path):
    for name, rest in re.findall(
        r"(?:^|[/ ])recede ([a-z]+)\b([^\n]*(?:\\\n[^\n]*)*)", code(path)
    ):
        real = {o for p in commands()[name].params for o in (*p.opts, *p.secondary_opts)}
        assert set(re.findall(r"(?<=[\s\[|])--[a-z-]+", rest)) <= real | {"--help"}, rest


@pytest.mark.parametrize("path", MARKDOWN, ids=str)
def test_relative_links_lead_somewhere(path):
    text = FENCE.sub("", files.read(path))
    targets = [match["target"] for match in LINK.finditer(text)]
    relative = [t for t in targets if not re.match(r"[a-z]+:|#", t)]
    lost = [t for t in relative if not (files.ROOT / path.parent / t.partition("#")[0]).exists()]
    assert lost == []


@pytest.mark.parametrize("path", MARKDOWN, ids=str)
def test_links_into_a_page_hit_a_heading(path):
    text = files.read(path)
    headings = {slug(line) for line in re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.M)}
    anchors = {m["target"][1:] for m in LINK.finditer(text) if m["target"].startswith("#")}
    assert anchors <= headings


def slug(heading: str) -> str:
    """The anchor that hosts of Markdown make of a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.strip().replace(" ", "-")


def test_make_targets_in_the_documents_exist():
    targets = set(re.findall(r"^([a-z]+):", files.read(Path("Makefile")), re.M))
    for path in MARKDOWN:
        named = set(re.findall(r"(?:`|^)make ([a-z]+)", files.read(path), re.M))
        assert named <= targets, path
