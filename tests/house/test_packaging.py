"""What is installed is all that a running Recede needs, and nothing is pinned by address."""

from __future__ import annotations

import importlib
import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from recede.cli.service.extras import (
    WORKER_PACKAGES,
    missing_worker_packages,
    require_worker,
)
from tests.house import files

PYPROJECT = tomllib.loads((files.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
REQUIREMENTS = [
    Requirement(line)
    for line in (*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra))
]
CONSTRAINTS = dict(
    line.split("==")
    for line in (files.ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)


def test_command_exists():
    module, _, function = PROJECT["scripts"]["recede"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def names(requirements: list[str]) -> set[str]:
    """Packages that these ask for, through our own extras too."""
    found: set[str] = set()
    for requirement in map(Requirement, requirements):
        if requirement.name == PROJECT["name"]:
            found |= {n for extra in requirement.extras for n in names(EXTRAS[extra])}
        else:
            found.add(requirement.name)
    return found


def test_extras():
    assert set(EXTRAS) == {"worker", "postgres", "timm", "lightning", "all", "dev"}
    worker = names(EXTRAS["worker"])
    assert names(EXTRAS["timm"]) == worker | {"timm"}
    assert names(EXTRAS["lightning"]) == worker | {"lightning"}
    assert names(EXTRAS["all"]) == worker | {"timm", "lightning", "psycopg"}
    assert names(EXTRAS["all"]) <= names(EXTRAS["dev"])
    assert not worker & names(PROJECT["dependencies"])


def test_the_worker_is_detected_by_the_packages_of_its_extra():
    assert set(WORKER_PACKAGES.values()) == names(EXTRAS["worker"])
    # Where they are installed, as they are here, nothing is missing and nothing is refused.
    assert missing_worker_packages() == []
    require_worker("recede worker")


@pytest.fixture(scope="module")
def installed() -> ModuleType:
    """The script by which make knows whether it must install anything."""
    spec = importlib.util.spec_from_file_location("installed", files.ROOT / ".ci/installed.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_make_looks_for_what_an_extra_needs(installed):
    assert set(installed._wanted([])) == names(PROJECT["dependencies"])
    for extra, lines in EXTRAS.items():
        assert set(installed._wanted([extra])) == names([*PROJECT["dependencies"], *lines])
    with pytest.raises(SystemExit, match="no extra gpu"):
        list(installed._wanted(["gpu"]))


def test_make_takes_the_cpu_build_of_a_version_but_no_other_version(installed, monkeypatch):
    there = {"torch": f"{CONSTRAINTS['torch']}+cpu", "numpy": f"{CONSTRAINTS['numpy']}.1"}
    monkeypatch.setattr(installed, "_version", there.get)
    (wrong,) = installed._other_version()
    assert wrong.startswith("numpy is ")


def test_pythons_that_are_admitted():
    from packaging.specifiers import SpecifierSet

    admitted = SpecifierSet(PROJECT["requires-python"])
    assert [f"3.{n}" for n in range(9, 16) if f"3.{n}.1" in admitted] == ["3.11", "3.12", "3.13"]


def test_torch_from_2_11_on_is_admitted():
    (torch,) = [r for r in REQUIREMENTS if r.name == "torch"]
    assert "2.11.0" in torch.specifier
    assert "2.10.0" not in torch.specifier


@pytest.mark.parametrize("wanted", [r for r in REQUIREMENTS if r.name != "recede"], ids=str)
def test_every_range_has_a_constraint_within_it(wanted):
    pinned = CONSTRAINTS[canonicalize_name(wanted.name)]
    assert Version(pinned) in wanted.specifier


def test_constraints_are_exact_sorted_and_without_addresses():
    assert list(CONSTRAINTS) == sorted(canonicalize_name(name) for name in CONSTRAINTS)
    assert "recede" not in CONSTRAINTS
    assert all(re.fullmatch(r"[0-9][0-9a-z.]*", pinned) for pinned in CONSTRAINTS.values())


def packaged() -> set[Path]:
    """Files that are no Python and that package-data takes along."""
    found = set()
    for package, patterns in PYPROJECT["tool"]["setuptools"]["package-data"].items():
        folder = files.ROOT / files.HOMES[package] / package
        for pattern in patterns:
            found |= {path.relative_to(files.ROOT) for path in folder.glob(pattern)}
    return found


def test_no_file_of_a_package_is_left_behind():
    data = [path for path in files.under(*files.FOLDERS) if path.suffix != ".py"]
    assert sorted(set(data) - packaged()) == []


def test_every_folder_with_code_is_a_package():
    find = PYPROJECT["tool"]["setuptools"]["packages"]["find"]
    assert find == {"where": list(files.FOLDERS)}
    # Without "namespaces = false" a folder needs no __init__.py: the migrations have none.
    folders = {path.parent for path in files.under(*files.FOLDERS, suffix=".py")}
    assert all(part.isidentifier() for folder in folders for part in folder.parts)


def test_licence_is_in_the_package():
    assert PROJECT["license"] == "MIT"
    (name,) = PROJECT["license-files"]
    assert files.read(Path(name)).startswith("MIT License")
