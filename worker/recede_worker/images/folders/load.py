"""Loads a folder of images by class: checked before anything else, then in memory or as files."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
import torch

from recede_worker.images.dataset import (
    FILES_ZOOM,
    Augmentation,
    Files,
    Images,
    Part,
    Pixels,
    Progress,
    UnreadableData,
    pixel_statistics,
)
from recede_worker.images.folders.examine import (
    Finding,
    Form,
    Report,
    examine,
)
from recede_worker.images.folders.findings import (
    FindingsCache,
    Statistics,
    key_of,
)
from recede_worker.images.folders.tree import (
    TRAIN,
    BadFolder,
    Entry,
    Tree,
    listed,
    scan,
)

BUDGET_BYTES = 2 << 30
BUDGET_SHARE = 4
"""Images that take less than this, and than this part of the memory, are decoded into it."""
SAMPLE = 50_000  # images that the statistics of larger sets are computed on
NAMED = 5  # bad files in the message of an error
PADDING = 8  # the pixels of padding: an eighth of the size, 4 for 32


class BadImages(UnreadableData):
    """Files of a class folder that are no whole images."""

    code = "bad_images"


@dataclass(frozen=True)
class Wanted:
    """One folder and what its images are to become."""

    folder: Path
    roots: Sequence[Path]
    """Links may not lead out of these."""
    names: Mapping[str, str]
    """Folder of each role: "train", "val" and "test"."""
    form: Form
    skip_bad: bool
    flip: bool
    labels: Mapping[str, str] = field(default_factory=dict)
    """Readable names of classes whose folders have others."""
    remember: bool = True
    """Keep what was found below the first root."""


def load(wanted: Wanted, progress: Progress) -> Images:
    """All images of the folder, after each file was decoded once.

    Raises:
        BadFolder: the folder has not the expected form, or too few images.
        BadImages: there are bad files and they are not to be skipped.
        UnreadableData: a folder may not be listed.
    """
    tree, findings, images = check(wanted, progress)
    assert images.report is not None
    if images.report["bad"]["count"] and not wanted.skip_bad:
        raise _stopped(images.report, len(findings) + len(tree.refused))
    require_enough(tree, findings)
    return images


def check(wanted: Wanted, progress: Progress) -> tuple[Tree, list[Finding], Images]:
    """What is in the folder, and the good images of it; raises BadFolder and UnreadableData."""
    tree = scan(
        wanted.folder,
        wanted.roots,
        wanted.names,
        lambda n: progress(n, 0, "Listing images", "images"),
    )
    tree.classes = tuple(wanted.labels.get(name, name) for name in tree.classes)
    cache = FindingsCache(wanted.roots[0] if wanted.remember else None, wanted.folder)
    if len(tree.entries) * wanted.form.n_bytes <= budget():
        findings, parts, statistics = _in_memory(tree, wanted.form, cache, progress)
    else:
        form = replace(wanted.form, zoom=wanted.form.zoom or FILES_ZOOM)
        findings, parts, statistics = _as_files(tree, form, cache, progress)
    report = Report.of(tree, findings, statistics, skipped=wanted.skip_bad)
    images = Images(
        train=parts[TRAIN],
        val=parts.get("val"),
        test=parts.get("test"),
        mean_C=statistics[0],
        std_C=statistics[1],
        classes=tree.classes,
        augment=Augmentation(max(1, wanted.form.size // PADDING), wanted.flip),
        report=report.as_json(),
    )
    return tree, findings, images


def budget() -> int:
    """Bytes that decoded images may take."""
    return min(BUDGET_BYTES, int(psutil.virtual_memory().total) // BUDGET_SHARE)


def require_enough(tree: Tree, findings: Sequence[Finding]) -> None:
    """Raises BadFolder if a class has too few good images to split off what has no folder."""
    good = Counter(
        entry.label
        for entry, found in zip(tree.parts[TRAIN], findings, strict=False)
        if not found.reason
    )
    needed = 1 + sum(role not in tree.parts for role in ("val", "test"))
    short = [name for label, name in enumerate(tree.classes) if good[label] < needed]
    if short:
        raise BadFolder(
            f"{tree.folder} has fewer than {needed} good training image{'s' * (needed > 1)} in: "
            f"{listed(short)}.",
            hint="Each class needs one image to train on, and one more for each of val/ and "
            "test/ that is not there and is split off. Add images or remove the class.",
        )
    start = 0
    for role, part in tree.parts.items():
        if all(found.reason for found in findings[start : start + len(part)]):
            raise BadFolder(f"{tree.folder} has no good image in its {role} part.")
        start += len(part)


LoadedParts = tuple[list[Finding], dict[str, Part], Statistics]


def _in_memory(tree: Tree, form: Form, cache: FindingsCache, progress: Progress) -> LoadedParts:
    """All parts as pixels; decoded now, or kept from the last time."""
    entries = tree.entries
    key = key_of(entries, form)
    known = cache.findings(entries)
    findings = [known[entry.path] for entry in entries if entry.path in known]
    x_NCHW = None
    if len(findings) == len(entries):
        good = sum(not found.reason for found in findings)
        x_NCHW = cache.pixels(key, (good, form.channels, form.size, form.size))
    if x_NCHW is None:
        x_NCHW, findings = _decoded(tree, form, progress)
        cache.keep_findings(entries, findings)
        cache.keep_pixels(key, x_NCHW)
    parts: dict[str, Part] = {}
    pixels_NCHW, start = torch.from_numpy(x_NCHW), 0
    for role, part in _good(tree, findings).items():
        x_PCHW = pixels_NCHW[start : start + len(part)]
        parts[role] = Pixels(x_PCHW, _labels(part))
        start += len(part)
    train = parts[TRAIN]
    assert isinstance(train, Pixels)
    return findings, parts, _statistics(train)


def _decoded(
    tree: Tree, form: Form, progress: Progress
) -> tuple[npt.NDArray[np.uint8], list[Finding]]:
    """Pixels of the good images, and what was found."""
    entries = tree.entries
    x_NCHW = np.empty((len(entries), form.channels, form.size, form.size), np.uint8)

    def keep(place: int, array: npt.NDArray[np.uint8]) -> None:
        x_NCHW[place] = array

    findings = examine(_paths(tree, entries), form, keep, progress)
    if any(found.reason for found in findings):
        x_NCHW = x_NCHW[[not found.reason for found in findings]]
    return x_NCHW, findings


def _as_files(tree: Tree, form: Form, cache: FindingsCache, progress: Progress) -> LoadedParts:
    """All parts as files; each is decoded once unless that was done before."""
    entries, train = tree.entries, tree.parts[TRAIN]
    known = cache.findings(entries)
    key = key_of(train, form)
    statistics = cache.statistics(key)
    step = max(1, math.ceil(len(train) / SAMPLE))
    sampled = set() if statistics else {entry.path for entry in train[::step]}
    todo = [entry for entry in entries if entry.path not in known or entry.path in sampled]
    sums_N3C = np.zeros((len(todo), 3, form.channels), np.int64)

    def keep(place: int, array: npt.NDArray[np.uint8]) -> None:
        if todo[place].path in sampled:
            flat = array.reshape(form.channels, -1).astype(np.int64)
            sums_N3C[place] = np.ones(form.channels), flat.sum(1), (flat * flat).sum(1)

    seen = examine(_paths(tree, todo), form, keep, progress)
    known |= {entry.path: found for entry, found in zip(todo, seen, strict=True)}
    findings = [known[entry.path] for entry in entries]
    cache.keep_findings(entries, findings)
    if statistics is None:
        statistics = _from_sums(sums_N3C.sum(0), form)
        cache.keep_statistics(key, statistics)
    parts: dict[str, Part] = {
        role: Files(
            tuple(_paths(tree, part)),
            _labels(part),
            form.size,
            form.channels,
            form.zoom or FILES_ZOOM,
            form.interpolation,
        )
        for role, part in _good(tree, findings).items()
    }
    return findings, parts, statistics


def _from_sums(sums_3C: npt.NDArray[np.int64], form: Form) -> Statistics:
    """Mean and deviation of pixel / 255 from images counted, sums and sums of squares."""
    n_C, total_C, squares_C = sums_3C.astype(np.float64)
    n_C = np.maximum(n_C * form.size**2, 1)
    mean_C = total_C / n_C
    std_C = np.sqrt(np.maximum(squares_C / n_C - mean_C**2, 0))
    return tuple((mean_C / 255).tolist()), tuple((std_C / 255).tolist())


def _statistics(train: Pixels) -> Statistics:
    if len(train.y_N) == 0:
        none = (0.0,) * train.x_NCHW.shape[1]
        return none, none
    return pixel_statistics(train.x_NCHW)


def _good(tree: Tree, findings: Sequence[Finding]) -> dict[str, list[Entry]]:
    good, start = {}, 0
    for role, part in tree.parts.items():
        found = findings[start : start + len(part)]
        good[role] = [entry for entry, seen in zip(part, found, strict=True) if not seen.reason]
        start += len(part)
    return good


def _paths(tree: Tree, entries: Sequence[Entry]) -> list[str]:
    folder = str(tree.folder)
    return [f"{folder}/{entry.path}" for entry in entries]


def _labels(entries: Sequence[Entry]) -> torch.Tensor:
    return torch.tensor([entry.label for entry in entries], dtype=torch.int64)


def _stopped(report: dict[str, Any], n: int) -> BadImages:
    count, files = report["bad"]["count"], report["bad"]["files"][:NAMED]
    first = "; ".join(f"{file['path']} {file['reason']}" for file in files)
    more = f"; and {count - NAMED} more" if count > NAMED else ""
    problem = BadImages(
        f"{count} of {n} image files cannot be used: {first}{more}.",
        field="dataset_params.bad_files",
        hint="Repair or delete them (`recede inspect` with the folder lists them), or set "
        'bad_files to "skip" to train on the others.',
    )
    problem.report = report
    return problem
