"""Data sets of four IDX files, found in several layouts or downloaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from recede.contract.spec.catalog import DatasetInfo
from recede.contract.spec.params import ParamValue
from recede_worker.images.dataset import (
    Augmentation,
    Dataset,
    Images,
    Progress,
    UnreadableData,
    images,
)
from recede_worker.images.published.download import DownloadFailed, fetch
from recede_worker.images.published.idx import read_idx
from recede_worker.images.published.places import (
    Place,
    find,
    first_problem,
)

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
IMAGE_SIZE = 28


@dataclass(frozen=True)
class IdxSet(Dataset):
    """Grey images of 28×28 pixels in four files, as they come or compressed."""

    name: str
    label: str
    help: str
    torchvision_class: str
    """Its class there knows mirrors and sums, and names the folder `CLASS/raw`."""
    classes: tuple[str, ...]
    flip: bool
    download_bytes: int
    package: Path | None = None
    """Where a Debian package puts the files."""
    advice: str = ""
    n_train: int = 60_000
    n_test: int = 10_000
    demo: Mapping[str, Any] = field(default_factory=dict)

    def info(self, roots: Sequence[Path]) -> DatasetInfo:
        """Where the four files lie, or that the first run fetches them."""
        place = self._place(roots)
        return DatasetInfo(
            name=self.name,
            label=self.label,
            help=self.help,
            channels=1,
            image_size=IMAGE_SIZE,
            classes=len(self.classes),
            n_train=self.n_train,
            n_test=self.n_test,
            status=place.status,
            detail=place.detail,
            download_bytes=self.download_bytes if place.status == "download" else 0,
        )

    def load(
        self, roots: Sequence[Path], params: Mapping[str, ParamValue], progress: Progress
    ) -> Images:
        """All images from the first complete folder; fetches them if there is none."""
        del params  # the data set has none
        place = self._place(roots)
        place.require(self.label)
        folder = place.folder
        if folder is None:
            folder = roots[0] / self.name
            self._download(folder, progress)
        train_x, train_y, test_x, test_y = (read_idx(folder / name) for name in _existing(folder))
        self._check(folder, train_x, train_y, self.n_train)
        self._check(folder, test_x, test_y, self.n_test)
        return images(
            (train_x[:, None], train_y),
            (test_x[:, None], test_y),
            self.classes,
            Augmentation(pad=2, flip=self.flip),
        )

    def _place(self, roots: Sequence[Path]) -> Place:
        return find(self._folders(roots), _problem, roots, self.name, self.advice)

    def _folders(self, roots: Sequence[Path]) -> Iterator[Path]:
        for root in roots:
            yield root / self.name
            yield root / self.torchvision_class / "raw"
        if self.package is not None:
            yield self.package

    def _download(self, folder: Path, progress: Progress) -> None:
        from torchvision import datasets  # noqa: PLC0415 - slow to import

        source = getattr(datasets, self.torchvision_class)
        for name, md5 in source.resources:
            if not (folder / name).exists():
                _fetch_from_any(source, name, md5, folder, progress)

    def _check(self, folder: Path, x_NHW: Tensor, y_N: Tensor, n: int) -> None:
        found = (*x_NHW.shape, *y_N.shape)
        classes = len(self.classes)
        if found != (n, IMAGE_SIZE, IMAGE_SIZE, n) or int(y_N.max()) >= classes:
            raise UnreadableData(
                f"The files in {folder} hold arrays of {found}; {self.label} has {n} images of "
                f"{IMAGE_SIZE}×{IMAGE_SIZE} pixels in {classes} classes here.",
                hint="Another data set lies in this folder; move it away.",
            )


def _fetch_from_any(source: Any, name: str, md5: str, folder: Path, progress: Progress) -> None:
    """From the first mirror that has it whole; the last one's failure is passed on."""
    *others, last = source.mirrors
    for mirror in others:
        try:
            fetch(mirror + name, folder / name, md5, progress)
        except DownloadFailed:
            continue
        return
    fetch(last + name, folder / name, md5, progress)


def _existing(folder: Path) -> list[str]:
    """The four names as they lie in the folder: compressed if there is such a file."""
    return [f"{name}.gz" if (folder / f"{name}.gz").exists() else name for name in FILES]


def _problem(folder: Path) -> OSError | None:
    try:
        return first_problem(folder, _existing(folder))
    except OSError as problem:  # a folder on the way that may not be searched
        return problem
