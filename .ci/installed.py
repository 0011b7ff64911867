"""Whether this .venv holds what pyproject.toml asks for, at the versions of constraints.txt.

    python .ci/installed.py [extra ...]

Exits with 0 if nothing is missing; else says what is, and exits with 1. Uses no network.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NAME = re.compile(r"[A-Za-z0-9._-]+")


def main() -> int:
    """Check every requirement, the versions and where `recede` comes from."""
    extras = sys.argv[1:]
    missing = [*_not_ours(), *_absent(extras), *_other_version()]
    if missing:
        sys.stdout.write(f"Installing, because {missing[0]} ({len(missing)} reasons in all).\n")
    return 1 if missing else 0


def _not_ours() -> list[str]:
    """An editable install remembers its folder: a .venv that was copied here names another."""
    try:
        installed = metadata.distribution("recede")
    except metadata.PackageNotFoundError:
        return ["recede is not installed"]
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    if origin.get("url") != ROOT.as_uri():
        return ["recede is installed from another folder"]
    project = _project()
    commands = {point.name: point.value for point in installed.entry_points}
    if (installed.version, commands) != (project["version"], project["scripts"]):
        return ["recede has another version or other commands by now"]
    return []


def _project() -> dict[str, Any]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project: dict[str, Any] = tomllib.loads(text)["project"]
    return project


def _absent(extras: list[str]) -> list[str]:
    names = dict.fromkeys(_wanted(extras))
    return [f"{name} is missing" for name in names if _version(name) is None]


def _wanted(extras: list[str]) -> Iterator[str]:
    """Names of all required packages; an extra may ask for others: `recede[worker,timm]`."""
    project = _project()
    extra_lines = project["optional-dependencies"]
    unknown = set(extras) - set(extra_lines)
    if unknown:
        raise SystemExit(f"pyproject.toml has no extra {', '.join(sorted(unknown))}.")
    for requirement in (*project["dependencies"], *(r for e in extras for r in extra_lines[e])):
        name, nested = _name(requirement), re.search(r"\[(.+?)\]", requirement)
        if name != project["name"]:
            yield name
        elif nested:
            yield from _wanted([extra.strip() for extra in nested[1].split(",")])


def _other_version() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if "==" in line]
    return [
        f"{name} is {found} and not {wanted}"
        for name, wanted in pairs
        # 2.15.0+cpu is a build of 2.15.0.
        if (found := _version(name)) and wanted not in (found, found.partition("+")[0])
    ]


def _name(requirement: str) -> str:
    found = NAME.match(requirement)
    if found is None:
        raise ValueError(f"pyproject.toml holds a requirement without a name: {requirement!r}")
    return found[0]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
