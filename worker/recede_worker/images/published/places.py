"""Where the files of a published data set lie, or whether they can be fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from recede.contract.spec.catalog import Status
from recede_worker.images.dataset import UnreadableData
from recede_worker.images.published.download import can_download


@dataclass(frozen=True)
class Place:
    """What was found of a data set; `folder` has all files if the status is "ready"."""

    status: Status
    detail: str
    folder: Path | None = None

    def require(self, label: str) -> None:
        """Raises UnreadableData unless the files are there or can be fetched."""
        if self.status not in ("ready", "download"):
            raise UnreadableData(f"{label} is {self.status}: {self.detail}")


def find(
    folders: Iterable[Path],
    problem_of: Callable[[Path], OSError | None],
    roots: Sequence[Path],
    target: str,
    advice: str = "",
) -> Place:
    """The first folder without a problem, or what is to be done; never raises.

    Downloads would go to `target` below the first root; `advice` is for those who cannot.
    """
    forbidden = []
    for folder in folders:
        problem = problem_of(folder)
        if problem is None:
            return Place("ready", f"In {folder}.", folder)
        if not isinstance(problem, FileNotFoundError):
            forbidden.append(problem)
    if forbidden:
        problem = forbidden[0]
        return Place("unreadable", f"Cannot read {problem.filename}: {problem.strerror}.")
    if can_download(roots):
        return Place("download", f"Will be fetched into {roots[0] / target}.")
    where = f"{roots[0]} cannot be written" if roots else "there is no data folder"
    return Place("missing", f"It cannot be fetched, for {where}.{advice and f' {advice}'}")


def first_problem(folder: Path, names: Iterable[str]) -> OSError | None:
    """Why one of these files cannot be opened, or None if all can."""
    for name in names:
        try:
            with (folder / name).open("rb") as file:
                file.read(1)
        except OSError as problem:
            return problem
    return None
