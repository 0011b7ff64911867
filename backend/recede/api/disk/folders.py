"""Folders of runs: how large they are, and how they go."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from recede.contract.errors import StorageProblem
from recede.settings import Settings


def of_run(settings: Settings, run_id: str) -> Path:
    """Folder of a run's files; the id was checked to be one plain name."""
    return settings.artifacts / "runs" / run_id


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; 0 if there is none."""
    return sum(_sizes(folder))


def remove(settings: Settings, run_id: str) -> int:
    """Remove the files of a deleted run; returns their bytes.

    Raises:
        StorageProblem: the folder cannot be removed.
    """
    folder = of_run(settings, run_id)
    freed = size_of(folder)
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise StorageProblem(
            f"Run {run_id} is deleted, but its files in {folder} are not: {error.strerror}.",
            hint="Remove that folder manually.",
        ) from error
    return freed


def _sizes(folder: Path) -> Iterable[int]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _sizes(Path(entry.path))
                else:
                    yield entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return  # not made yet, or removed while we looked
