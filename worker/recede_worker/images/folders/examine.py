"""Opens every image file once, in parallel, and reports what was found."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from recede_worker.images.dataset import Progress
from recede_worker.images.folders.decode import (
    BadImage,
    decode,
    pixels,
    square,
)
from recede_worker.images.folders.tree import Tree, shown

CHUNK = 32  # images that a thread takes at a time
SHOWN_BAD = 50

Result = TypeVar("Result")


class Finding(NamedTuple):
    """What one file is: size and mode as stored, or the reason why it is no image."""

    width: int
    height: int
    mode: str
    reason: str = ""


@dataclass(frozen=True)
class Form:
    """What every image becomes: channels, height and width, and how much of its middle."""

    channels: int
    size: int
    zoom: float | None = None
    """The middle square that is seen is 1 / zoom of the shorter side wide; None: all of it, or
    FILES_ZOOM for a set that is decoded batch by batch."""
    interpolation: str = "bilinear"

    @property
    def n_bytes(self) -> int:
        """Of one image in memory."""
        return self.channels * self.size * self.size

    def seen_in(self, path: str) -> tuple[npt.NDArray[np.uint8], Finding]:
        """Pixels (C, size, size) of a file; raises BadImage."""
        image, seen = decode(path, self.channels, self.size)
        array = pixels(square(image, self.size, self.zoom or 1.0, self.interpolation))
        return array, Finding(seen.width, seen.height, seen.mode)


def examine(
    paths: Sequence[str],
    form: Form,
    keep: Callable[[int, npt.NDArray[np.uint8]], None],
    progress: Progress,
) -> list[Finding]:
    """Decode all files whole; `keep` gets the place and pixels of each good one, from a thread."""

    def look(place: int) -> Finding:
        try:
            array, finding = form.seen_in(paths[place])
        except BadImage as problem:
            return Finding(0, 0, "", shown(str(problem)))
        keep(place, array)
        return finding

    return in_parallel(look, len(paths), progress)


def in_parallel(
    work: Callable[[int], Result], n: int, progress: Progress, message: str = "Checking images"
) -> list[Result]:
    """work(0) … work(n - 1) on all cores: Pillow decodes outside of Python's lock.

    What `progress` raises ends the work soon, with nothing left running.
    """
    results: list[Result] = []
    starts = range(0, n, CHUNK)
    pool = ThreadPoolExecutor(cores(), thread_name_prefix="decode")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata in files that it reads well
        try:
            chunks = pool.map(lambda i: [work(k) for k in range(i, min(i + CHUNK, n))], starts)
            for chunk in chunks:
                results += chunk
                progress(len(results), n, message, "images")
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return results


def cores() -> int:
    """Processors that this process may use."""
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
    return len(usable) or os.cpu_count() or 1


@dataclass(frozen=True)
class Report:
    """What is shown of a folder before it is trained on; `images` are those that are used."""

    folder: str
    images: int
    classes: dict[str, int]
    parts: dict[str, int]
    sizes: dict[str, list[int]]
    modes: dict[str, int]
    bad: dict[str, Any]
    ignored: dict[str, int]
    """Files that are not taken for images, by ending."""
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain lists and dictionaries."""
        return asdict(self) | {key: list(getattr(self, key)) for key in ("mean", "std")}

    @staticmethod
    def of(
        tree: Tree,
        findings: Sequence[Finding],
        statistics: tuple[tuple[float, ...], tuple[float, ...]],
        *,
        skipped: bool,
    ) -> Report:
        """Counts over what was found in all parts, in the order of `tree.entries`."""
        pairs = list(zip(tree.entries, findings, strict=True))
        good = [(entry, found) for entry, found in pairs if not found.reason]
        bad = [(entry.path, found.reason) for entry, found in pairs if found.reason]
        bad = sorted(bad + list(tree.refused.items()))
        per_label = Counter(entry.label for entry, _ in good)
        sizes = sorted(
            {(found.width, found.height) for _, found in good}, key=lambda wh: wh[0] * wh[1]
        )
        return Report(
            folder=shown(str(tree.folder)),
            images=len(good),
            classes={name: per_label[label] for label, name in enumerate(tree.classes)},
            parts=_used(tree, findings),
            sizes={"smallest": list(sizes[0]), "largest": list(sizes[-1])} if sizes else {},
            modes=dict(Counter(found.mode for _, found in good).most_common()),
            bad={
                "count": len(bad),
                "skipped": skipped,
                "files": [
                    {"path": shown(path), "reason": reason} for path, reason in bad[:SHOWN_BAD]
                ],
            },
            ignored=dict(tree.ignored.most_common()),
            mean=statistics[0],
            std=statistics[1],
        )


def _used(tree: Tree, findings: Sequence[Finding]) -> dict[str, int]:
    used, start = {}, 0
    for role, part in tree.parts.items():
        used[role] = sum(not found.reason for found in findings[start : start + len(part)])
        start += len(part)
    return used
