"""STL-10: 13,000 labelled photographs of 96×96 pixels, downloaded where there is a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
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

FOLDER = "stl10_binary"
FILES = ("train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin")
DOWNLOAD_BYTES = 2_640_397_119
IMAGE_SIZE, N_TRAIN, N_TEST = 96, 5_000, 8_000
UNLABELLED = "unlabeled_X.bin"  # 2.8 GB that are not used
CLASSES = (
    *("airplane", "bird", "car", "cat", "deer"),
    *("dog", "horse", "monkey", "ship", "truck"),
)


class Stl10(Dataset):
    """The labelled part of the set of Coates, Lee and Ng (2011)."""

    name = "stl10"

    def info(self, roots: Sequence[Path]) -> DatasetInfo:
        """Where the files lie, or that the first run fetches them."""
        place = self._place(roots)
        return DatasetInfo(
            name=self.name,
            label="STL-10",
            help="13,000 colour photographs of 96×96 pixels in 10 classes; its 100,000 images "
            "without labels are not used. The download is 2.6 GB.",
            channels=3,
            image_size=IMAGE_SIZE,
            classes=len(CLASSES),
            n_train=N_TRAIN,
            n_test=N_TEST,
            status=place.status,
            detail=place.detail,
            download_bytes=DOWNLOAD_BYTES if place.status == "download" else 0,
        )

    def load(
        self, roots: Sequence[Path], params: Mapping[str, ParamValue], progress: Progress
    ) -> Images:
        """All labelled images, each file checked against its published MD5 sum."""
        from torchvision.datasets import STL10  # noqa: PLC0415 - slow to import

        del params  # the data set has none
        place = self._place(roots)
        place.require("STL-10")
        folder = place.folder
        if folder is None:
            archive = Archive(STL10.url, STL10.tgz_md5, FOLDER, leave_out=(UNLABELLED,))
            folder = fetch_unpacked(
                archive, roots[0], lambda f: first_problem(f, FILES) is None, progress
            )
        sums = [(name, md5) for name, md5 in (*STL10.train_list, *STL10.test_list)]
        verify(folder, [(name, md5) for name, md5 in sums if name in FILES])
        train, test = _read(folder, "train"), _read(folder, "test")
        return images(train, test, CLASSES, Augmentation(pad=12, flip=True))

    def _place(self, roots: Sequence[Path]) -> Place:
        folders = [root / FOLDER for root in roots]
        return find(folders, lambda f: first_problem(f, FILES), roots, FOLDER)


def _read(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    """Pixels (N, 3, 96, 96), which the files keep column by column, and labels from 0."""
    x_NCWH = np.fromfile(folder / f"{part}_X.bin", np.uint8).reshape(-1, 3, IMAGE_SIZE, IMAGE_SIZE)
    y_N = np.fromfile(folder / f"{part}_y.bin", np.uint8).astype(np.int64) - 1
    return torch.from_numpy(x_NCWH).transpose(2, 3), torch.from_numpy(y_N)


PLUGINS: tuple[Dataset, ...] = (Stl10(),)
