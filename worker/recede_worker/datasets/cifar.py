"""CIFAR-10 and CIFAR-100: 60,000 colour photographs, downloaded where there is a network."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from recede.contract.spec.catalog import DatasetInfo
from recede.contract.spec.params import ParamValue
from recede_worker.images.dataset import (
    Augmentation,
    Dataset,
    Images,
    Progress,
    images,
)
from recede_worker.images.published.archive import (
    Archive,
    fetch_unpacked,
    verify,
)
from recede_worker.images.published.places import (
    Place,
    find,
    first_problem,
)

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
        place = self._place(roots)
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
            status=place.status,
            detail=place.detail,
            download_bytes=self.download_bytes if place.status == "download" else 0,
        )

    def load(
        self, roots: Sequence[Path], params: Mapping[str, ParamValue], progress: Progress
    ) -> Images:
        """All images, each file checked against its published MD5 sum before it is read."""
        from torchvision import datasets  # noqa: PLC0415 - slow to import

        del params  # the data set has none
        source = getattr(datasets, self.torchvision_class)
        place = self._place(roots)
        place.require(self.label)
        folder = place.folder
        if folder is None:
            archive = Archive(source.url, source.tgz_md5, source.base_folder)
            folder = fetch_unpacked(archive, roots[0], self._is_complete, progress)
        meta = (source.meta["filename"], source.meta["md5"])
        verify(folder, [*source.train_list, *source.test_list, meta])
        train, test = (_read(source, folder.parent, train=train) for train in (True, False))
        augment = Augmentation(pad=4, flip=True)
        return images(_tensors(train), _tensors(test), list(train.classes), augment)

    def _place(self, roots: Sequence[Path]) -> Place:
        folders = [root / self.folder for root in roots]
        return find(folders, lambda f: first_problem(f, self.files), roots, self.folder)

    def _is_complete(self, folder: Path) -> bool:
        return first_problem(folder, self.files) is None


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
