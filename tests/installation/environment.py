"""A wheel of this checkout, and a virtual environment with the web side's packages alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house import files

BUILD = "from setuptools import build_meta; import sys; build_meta.build_wheel(sys.argv[1])"
METADATA = ("pyproject.toml", "README.md", "LICENSE")


def build_wheel(folder: Path) -> Path:
    """The wheel of what is in the checkout, built from a copy, so that nothing is left there."""
    source = folder / "source"
    for path in (*files.under(*files.FOLDERS), *map(Path, METADATA)):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(files.ROOT / path, source / path)
    run([sys.executable, "-c", BUILD, str(folder)], cwd=source)
    (wheel,) = folder.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Environment:
    """A virtual environment that sees no other packages than its own."""

    root: Path

    @classmethod
    def create(cls, root: Path) -> Environment:
        """An empty one, without pip."""
        venv.create(root, symlinks=True)
        return cls(root)

    @property
    def site_packages(self) -> Path:
        base = {"base": str(self.root), "platbase": str(self.root)}
        return Path(sysconfig.get_path("purelib", "venv", base))

    def program(self, name: str) -> str:
        return str(self.root / "bin" / name)

    def link(self, requirements: Iterable[str]) -> None:
        """Give it what these need, as links to the packages that the tests run with."""
        for found in needed(requirements):
            for name in top_level(found):
                link = self.site_packages / name
                if not link.exists():
                    link.symlink_to(Path(str(found.locate_file(name))))

    def install(self, wheel: Path) -> None:
        """Install the wheel alone, with its commands."""
        options = ["--no-deps", "--no-index", "--quiet", "--disable-pip-version-check"]
        pip = [sys.executable, "-m", "pip", "--python", self.program("python")]
        run([*pip, "install", *options, str(wheel)], cwd=self.root)


def needed(requirements: Iterable[str]) -> Iterator[Distribution]:
    """The installed distributions that these requirements lead to, each once."""
    waiting = [Requirement(text) for text in requirements]
    seen: set[tuple[str, str]] = set()
    given: set[str] = set()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        found = distribution(name)
        for extra in ("", *wanted.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                nested = (Requirement(text) for text in found.requires or ())
                waiting += [n for n in nested if applies(n, extra)]
        if name not in given:
            given.add(name)
            yield found


def applies(requirement: Requirement, extra: str = "") -> bool:
    """Whether it is needed on this machine, with this extra of the package that states it."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def top_level(found: Distribution) -> set[str]:
    """Folders and modules that a distribution puts into site-packages."""
    assert found.files, f"{found.name} does not list its files"
    return {file.parts[0] for file in found.files} - {"..", "__pycache__"}


def clean_environ() -> dict[str, str]:
    """The environment of a user who knows nothing of this checkout."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "RECEDE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    return {**kept, "COLUMNS": "200", "NO_COLOR": "1"}


def run(command: list[str], cwd: Path) -> None:
    """Run it to its end; what it printed is in the error if it fails."""
    done = subprocess.run(
        command, cwd=cwd, env=clean_environ(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
