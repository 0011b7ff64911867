"""A folder of images by class: which files count, what is wrong with its shape.

`train/CLASS/…` and, beside train, other parts of the same form. Everything below a class folder
belongs to the class, however deep it lies.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from recede_worker.images.dataset import UnreadableData

TRAIN = "train"
PARTS = {"train": "train", "val": "val", "test": "test"}
"""Role and folder of each part of the user's own images."""

ENDINGS = frozenset(
    (
        *(".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm"),
        *(".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
    )
)
"""Of files that are taken for images, in lower case; all others are ignored and counted."""

IGNORED = frozenset(("thumbs.db", "desktop.ini", "__macosx", "@eadir"))
"""What systems leave in folders, beside everything hidden."""

SHOWN = 5
OUTSIDE = "is a link that leads outside the data roots"


class BadFolder(UnreadableData):
    """A folder of images that cannot be trained on, whatever its single files are like."""

    code = "bad_folder"


class Entry(NamedTuple):
    """One image file as the folder lists it."""

    path: str
    """Below the folder of the data set."""
    label: int
    size: int
    mtime_ns: int


@dataclass
class Tree:
    """All image files of a data set, unopened."""

    folder: Path
    classes: tuple[str, ...]
    parts: dict[str, list[Entry]]
    """By role: "train" and, where it has a folder, "val" and "test"."""
    ignored: Counter[str] = field(default_factory=Counter)
    refused: dict[str, str] = field(default_factory=dict)
    """Files and folders that may not be read, and why."""

    @property
    def entries(self) -> list[Entry]:
        """All of them, part after part."""
        return [entry for part in self.parts.values() for entry in part]


def scan(
    folder: Path,
    roots: Sequence[Path],
    names: Mapping[str, str],
    report: Callable[[int], None] = lambda _: None,
) -> Tree:
    """List the image files; `names` has the folder of each role, `report` gets the count.

    Links are followed as long as they stay below the roots.

    Raises:
        BadFolder: there is no train/CLASS/, a class has no files, only one class, or a class
            that train lacks.
        UnreadableData: a folder that may not be listed.
    """
    classes = class_folders(folder / names[TRAIN])
    tree = Tree(folder, tuple(shown(name) for name in classes), {})
    allowed = tuple(os.path.realpath(root) for root in roots)
    for role, name in names.items():
        place = folder / name
        if role != TRAIN and not place.is_dir():
            continue
        present = class_folders(place)
        require_known(place, present, classes)
        tree.parts[role] = []
        for label, class_name in enumerate(classes):
            if class_name in present:
                _list(tree, tree.parts[role], place / class_name, label, allowed)
                report(sum(map(len, tree.parts.values())))
    _require_images(tree, names)
    return tree


def class_folders(place: Path) -> list[str]:
    """Sorted names of the class folders of one part; raises BadFolder if there are none."""
    with _listed(place) as entries:
        names = sorted(e.name for e in entries if not is_hidden(e.name) and e.is_dir())
    if not names:
        raise BadFolder(
            f"{place} has no class folders.",
            hint=f"Put the images of each class into a folder of its own: {place}/CLASS/….",
        )
    return names


def require_known(place: Path, names: Sequence[str], classes: Sequence[str]) -> None:
    """Raises BadFolder if a part has a class that train lacks, or train has only one."""
    if len(classes) < 2:
        raise BadFolder(
            f"{place} has a single class, {shown(classes[0])}; at least two are needed.",
            hint="Add a folder with images of another class.",
        )
    unknown = [name for name in names if name not in classes]
    if unknown:
        raise BadFolder(
            f"{place} has {listed(unknown)}, which train/ lacks: a network cannot predict a "
            "class that it never saw.",
            hint="Add the class to train/, or remove it here. Names must match exactly.",
        )


def image_files(
    folder: str,
    allowed: Sequence[str],
    ignored: Counter[str],
    refused: dict[str, str],
    enter: Callable[[str], None] = lambda _: None,
) -> Iterator[os.DirEntry[str]]:
    """Image files below a folder, in the order of their names; counts what is left out.

    `enter` is called with every folder before it is listed.
    """
    if not _is_below(os.path.realpath(folder), allowed):
        raise BadFolder(f"{folder} {OUTSIDE}.", hint="Copy the images, or add a data root.")
    waiting, seen = [folder], {os.path.realpath(folder)}
    while waiting:
        here = waiting.pop()
        enter(here)
        with _listed(here) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        below = []
        for entry in found:
            if is_hidden(entry.name):
                continue
            if entry.is_symlink() and not _is_below(os.path.realpath(entry.path), allowed):
                refused[entry.path] = OUTSIDE
            elif entry.is_dir():
                real = os.path.realpath(entry.path)
                if real not in seen:  # links may go round in a circle
                    seen.add(real)
                    below.append(entry.path)
            elif os.path.splitext(entry.name)[1].lower() in ENDINGS:  # noqa: PTH122 - a million
                yield entry
            else:
                ignored[Path(entry.name).suffix.lower() or "without ending"] += 1
        waiting += reversed(below)


def is_inside(path: Path, roots: Sequence[Path]) -> bool:
    """Whether a path, all links followed, lies in one of the roots."""
    return _is_below(os.path.realpath(path), [os.path.realpath(root) for root in roots])


def is_hidden(name: str) -> bool:
    """Whether a name is not one of the user's images: hidden, or left by a system."""
    return name.startswith(".") or name.lower() in IGNORED


def shown(name: str) -> str:
    """A file name as text that can be stored, whatever its bytes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def listed(names: Sequence[str]) -> str:
    """The first few names and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(shown(name) for name in names[:SHOWN]) + more


def _list(tree: Tree, part: list[Entry], place: Path, label: int, allowed: Sequence[str]) -> None:
    start = len(str(tree.folder)) + 1
    refused: dict[str, str] = {}
    for found in image_files(str(place), allowed, tree.ignored, refused):
        path = found.path[start:]
        try:
            status = found.stat()
        except OSError as problem:  # a link to nothing
            tree.refused[path] = problem.strerror or str(problem)
            continue
        part.append(Entry(path, label, status.st_size, status.st_mtime_ns))
    tree.refused |= {path[start:]: reason for path, reason in refused.items()}


def _require_images(tree: Tree, names: Mapping[str, str]) -> None:
    filled = {entry.label for entry in tree.parts[TRAIN]}
    empty = [name for label, name in enumerate(tree.classes) if label not in filled]
    if empty:
        raise BadFolder(
            f"{tree.folder / names[TRAIN]} has class folders without an image: {listed(empty)}.",
            hint="Add images or remove these folders. These file endings count: "
            + ", ".join(sorted(ENDINGS))
            + ", in lower or upper case.",
        )
    for role, part in tree.parts.items():
        if not part:
            raise BadFolder(
                f"{tree.folder / names[role]} has no images.",
                hint="Add images, or remove the folder: then images are split off train/.",
            )


def _is_below(real: str, allowed: Sequence[str]) -> bool:
    return any(real == root or real.startswith(root.rstrip(os.sep) + os.sep) for root in allowed)


def _listed(place: str | Path) -> os._ScandirIterator[str]:
    try:
        return os.scandir(str(place))
    except OSError as problem:
        missing = isinstance(problem, FileNotFoundError | NotADirectoryError)
        kind = BadFolder if missing else UnreadableData
        raise kind(
            f"Cannot read the folder {place}: {problem.strerror}.",
            hint="A folder of images has train/CLASS/… and, if you like, val/CLASS/… and "
            "test/CLASS/….",
        ) from problem
