"""CIFAR-10 and CIFAR-100: 60,000 colour photographs, downloaded where there is a network."""

from __future__ import annotations

import tarfile
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from backend.contract.catalog import DatasetInfo
from backend.contract.params import ParamValue
from worker.datasets.base import Augmentation, Dataset, Images, Progress, UnreadableData, images
from worker.datasets.download import can_download, fetch, writable_folder

IMAGE_SIZE, N_TRAIN, N_TEST = 32, 50_000, 10_000


@dataclass(frozen=True)
class Cifar(Dataset):
    """One of the two sets of Krizhevsky (2009), in torchvision's folder layout."""

    name: str
    label: str
    classes: int
    torchvision_class: str
    folder: str
    files: tuple[str, ...]
    download_bytes: int

    def info(self, roots: Sequence[Path]) -> DatasetInfo:
        """Where the files lie, or that the first run fetches them."""
        status, detail = self._status(roots)
        return DatasetInfo(
            name=self.name,
            label=self.label,
            help=f"60,000 colour photographs of 32×32 pixels in {self.classes} classes: the "
            "data of the published figures. A full training needs a GPU.",
            channels=3,
            image_size=IMAGE_SIZE,
            classes=self.classes,
            n_train=N_TRAIN,
            n_test=N_TEST,
            status=status,
            detail=detail,
            download_bytes=self.download_bytes if status == "download" else 0,
        )

    def load(
        self, roots: Sequence[Path], params: Mapping[str, ParamValue], progress: Progress
    ) -> Images:
        """All images, each file checked against its published MD5 sum before it is read."""
        from torchvision import datasets  # noqa: PLC0415 - slow to import

        del params  # the data set has none
        source = getattr(datasets, self.torchvision_class)
        root = self._complete_root(roots)
        if root is None:
            status, detail = self._status(roots)
            if status != "download":
                raise UnreadableData(f"{self.label} is {status}: {detail}")
            root = roots[0]
            _download(source, root, progress)
        _verify(source, root)
        train, test = _read(source, root, train=True), _read(source, root, train=False)
        augment = Augmentation(pad=4, flip=True)
        return images(_tensors(train), _tensors(test), list(train.classes), augment)

    def _complete_root(self, roots: Sequence[Path]) -> Path | None:
        return next((r for r in roots if self._first_problem(r) is None), None)

    def _first_problem(self, root: Path) -> OSError | None:
        """Why this root cannot be used, or None if all files can be opened."""
        for file_name in self.files:
            try:
                with (root / self.folder / file_name).open("rb") as file:
                    file.read(1)
            except OSError as problem:
                return problem
        return None

    def _status(
        self, roots: Sequence[Path]
    ) -> tuple[Literal["ready", "download", "missing", "unreadable"], str]:
        root = self._complete_root(roots)
        if root is not None:
            return "ready", f"In {root / self.folder}."
        for root in roots:
            problem = self._first_problem(root)
            if problem is not None and not isinstance(problem, FileNotFoundError):
                return "unreadable", f"Cannot read {problem.filename}: {problem.strerror}."
        if can_download(roots):
            return "download", f"Will be fetched into {roots[0] / self.folder}."
        where = f"{roots[0]} cannot be written" if roots else "there is no data folder"
        return "missing", f"It cannot be fetched, for {where}."


def _download(source: Any, root: Path, progress: Progress) -> None:
    """Fetch and unpack beside the final place, so that a half-done folder never stands there."""
    writable_folder(root)
    with tempfile.TemporaryDirectory(dir=root, prefix=".download-") as scratch:
        archive = Path(scratch) / source.filename
        fetch(source.url, archive, source.tgz_md5, progress)
        progress(0, 0, f"Unpacking {source.filename}")
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(scratch, filter="data")
            target = root / source.base_folder
            if target.exists():  # an incomplete copy: keep it out of the way, delete nothing
                target.rename(Path(tempfile.mkdtemp(dir=root, prefix="incomplete-")) / target.name)
            (Path(scratch) / source.base_folder).rename(target)
        except (OSError, tarfile.TarError) as problem:
            raise UnreadableData(
                f"Cannot unpack {source.filename} in {root}: {problem}.",
                hint="Check the free space of the disk and try again.",
            ) from problem


def _verify(source: Any, root: Path) -> None:
    from torchvision.datasets.utils import check_integrity  # noqa: PLC0415 - slow to import

    meta = (source.meta["filename"], source.meta["md5"])
    for file_name, md5 in [*source.train_list, *source.test_list, meta]:
        path = root / source.base_folder / file_name
        try:
            intact = check_integrity(path, md5)
        except OSError as problem:
            raise UnreadableData(
                f"Cannot read {path}: {problem.strerror or problem}."
            ) from problem
        if not intact:
            raise UnreadableData(
                f"{path} is damaged or cut short: its MD5 sum is not the published one.",
                hint=f"Delete {path.parent} and start again to fetch a fresh copy.",
            )


def _read(source: Any, root: Path, *, train: bool) -> Any:
    with warnings.catch_warnings():
        # The files were pickled in 2009 with dtype arguments that NumPy 2.4 warns about.
        warnings.simplefilter("ignore")
        return source(root, train=train)


def _tensors(part: Any) -> tuple[Tensor, Tensor]:
    x_NHWC = torch.from_numpy(part.data)
    return x_NHWC.permute(0, 3, 1, 2), torch.tensor(part.targets)


PLUGINS: tuple[Dataset, ...] = (
    Cifar(
        name="cifar10",
        label="CIFAR-10",
        classes=10,
        torchvision_class="CIFAR10",
        folder="cifar-10-batches-py",
        files=(*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta"),
        download_bytes=170_498_071,
    ),
    Cifar(
        name="cifar100",
        label="CIFAR-100",
        classes=100,
        torchvision_class="CIFAR100",
        folder="cifar-100-python",
        files=("train", "test", "meta"),
        download_bytes=169_001_437,
    ),
)
