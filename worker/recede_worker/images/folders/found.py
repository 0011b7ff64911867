"""Finds folders of images by class below the data roots; cheap, since it is called often."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from recede.contract.spec.catalog import DatasetVariant
from recede_worker.images.dataset import UnreadableData
from recede_worker.images.folders.tree import (
    OUTSIDE,
    TRAIN,
    BadFolder,
    class_folders,
    image_files,
    is_hidden,
    is_inside,
    listed,
    require_known,
    shown,
)

MAX_ENTRIES, MAX_FOUND = 1_000, 200
"""Names that are checked in one folder, and folders of images that are listed for one root."""

QUICK_S = 0.5
SETTLED_NS = 2_000_000_000
"""A folder that changed less than this before it was counted may change again unseen."""

PATIENCE = 20.0
"""A count that took a second is believed for so many seconds without a look at its folders."""


@dataclass(frozen=True)
class Counted:
    """A folder as it was counted, with the times of change of all that was listed for it."""

    variant: DatasetVariant
    times: tuple[tuple[str, int], ...]
    at_ns: int
    believed_until: float

    def is_current(self) -> bool:
        """Whether nothing changed since, judging by times of change."""
        if time.monotonic() < self.believed_until:
            return True
        newest = max((mtime for _, mtime in self.times), default=0)
        settled = newest + SETTLED_NS < self.at_ns
        return settled and all(_mtime(path) == mtime for path, mtime in self.times)


_lock = threading.Lock()
_counted: dict[tuple[object, ...], Counted] = {}


def below(
    roots: Sequence[Path], names: Mapping[str, str]
) -> tuple[tuple[DatasetVariant, ...], str]:
    """All folders of images below the roots, and a note on what was left out; never raises."""
    found: list[DatasetVariant] = []
    notes = []
    for root in roots:
        here = list(islice(_candidates(root), MAX_FOUND + 1))
        if len(here) > MAX_FOUND:
            notes.append(f"Only the first {MAX_FOUND} folders of {root} are listed.")
        found += [count(folder, name, roots, names) for name, folder in here[:MAX_FOUND]]
        if _many(root):
            notes.append(
                f"{root} has very many entries; only the first {MAX_ENTRIES} were checked."
            )
    return tuple(found), " ".join(notes)


def count(
    folder: Path, name: str, roots: Sequence[Path], names: Mapping[str, str]
) -> DatasetVariant:
    """Classes and images of one folder, by name only; never raises."""
    key = (str(folder), name, tuple(map(str, roots)), tuple(names.items()))
    with _lock:
        known = _counted.get(key)
    if known is not None and known.is_current():
        return known.variant
    started, at_ns = time.monotonic(), time.time_ns()
    times: dict[str, int] = {}
    variant = _count(folder, name, roots, names, times)
    took = time.monotonic() - started
    believed = started + took + (PATIENCE * took if took > QUICK_S else 0.0)
    with _lock:
        _counted[key] = Counted(variant, tuple(times.items()), at_ns, believed)
    return variant


def _count(
    folder: Path,
    name: str,
    roots: Sequence[Path],
    names: Mapping[str, str],
    times: dict[str, int],
) -> DatasetVariant:
    classes: list[str] = []
    counts: dict[str, int] = {}
    try:
        if not is_inside(folder, roots):
            raise BadFolder(f"{folder} {OUTSIDE}.")
        _enter(str(folder), times)
        for role, part in names.items():
            place = folder / part
            if role == TRAIN or place.is_dir():
                _enter(str(place), times)
                present = class_folders(place)
                classes = classes or present
                require_known(place, present, classes)
                counts[role] = _images(place, present, roots, times, required=role == TRAIN)
    except (UnreadableData, OSError) as problem:
        return DatasetVariant(
            path=shown(str(folder)),
            name=name,
            classes=len(classes),
            n_train=counts.get(TRAIN, 0),
            n_test=counts.get("test", 0),
            status="unreadable",
            detail=str(problem),
        )
    return DatasetVariant(
        path=shown(str(folder)),
        name=name,
        classes=len(classes),
        n_train=counts[TRAIN],
        n_test=counts.get("test", 0),
        status="ready",
        detail=f"In {shown(str(folder))}.",
    )


def _images(
    place: Path,
    present: Sequence[str],
    roots: Sequence[Path],
    times: dict[str, int],
    *,
    required: bool,
) -> int:
    """Number of image files; raises BadFolder if a class that needs some has none."""
    allowed = [os.path.realpath(root) for root in roots]
    empty, total = [], 0
    for name in present:
        files = image_files(
            str(place / name), allowed, Counter(), {}, lambda path: _enter(path, times)
        )
        n = sum(1 for _ in files)
        total += n
        if not n:
            empty.append(name)
    if (empty and required) or not total:
        raise BadFolder(f"{place} has class folders without an image: {listed(empty)}.")
    return total


def _candidates(root: Path) -> Iterator[tuple[str, Path]]:
    """Names below the root and paths of folders that have a train folder, two levels deep."""
    if _has_train(root):
        yield shown(root.name), root
    for folder in _folders(root):
        if _has_train(folder):
            yield shown(folder.name), folder
            continue
        for inner in _folders(folder):
            if _has_train(inner):
                yield shown(f"{folder.name}/{inner.name}"), inner


def _has_train(folder: Path) -> bool:
    return next(_folders(folder / TRAIN), None) is not None


def _folders(place: Path) -> Iterator[Path]:
    """Folders right below, in the order of their names; none where it cannot be listed."""
    try:
        with os.scandir(place) as entries:
            first = [e for e in islice(entries, MAX_ENTRIES) if not is_hidden(e.name)]
            found = sorted(entry.path for entry in first if entry.is_dir())
    except OSError:
        return
    yield from map(Path, found)


def _many(root: Path) -> bool:
    try:
        with os.scandir(root) as entries:
            return next(islice(entries, MAX_ENTRIES, None), None) is not None
    except OSError:
        return False


def _enter(path: str, times: dict[str, int]) -> None:
    """Note a folder's time of change before it is listed."""
    times[path] = _mtime(path)


def _mtime(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - thousands of them, every few seconds
    except OSError:
        return -1
