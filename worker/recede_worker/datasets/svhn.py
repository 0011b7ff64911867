"""SVHN: 99,289 house numbers out of street photographs, downloaded where there is a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    UnreadableData,
    images,
)
from recede_worker.images.published.archive import verify
from recede_worker.images.published.download import fetch
from recede_worker.images.published.places import (
    Place,
    find,
    first_problem,
)

FILES = ("train_32x32.mat", "test_32x32.mat")
DOWNLOAD_BYTES = 246_316_178
IMAGE_SIZE, N_TRAIN, N_TEST = 32, 73_257, 26_032
DIGIT_0 = 10  # the files number the digits 1 to 10


class Svhn(Dataset):
    """The cropped digits of Netzer et al. (2011); the extra images are not used."""

    name = "svhn"

    def info(self, roots: Sequence[Path]) -> DatasetInfo:
        """Where the two files lie, or that the first run fetches them."""
        place = self._place(roots)
        return DatasetInfo(
            name=self.name,
            label="SVHN",
            help="99,289 house numbers of 32×32 colour pixels, one digit in the middle of each, "
            "cut out of street photographs.",
            channels=3,
            image_size=IMAGE_SIZE,
            classes=10,
            n_train=N_TRAIN,
            n_test=N_TEST,
            status=place.status,
            detail=place.detail,
            download_bytes=DOWNLOAD_BYTES if place.status == "download" else 0,
        )

    def load(
        self, roots: Sequence[Path], params: Mapping[str, ParamValue], progress: Progress
    ) -> Images:
        """All digits of both files, each checked against its published MD5 sum."""
        from torchvision.datasets import SVHN  # noqa: PLC0415 - slow to import

        del params  # the data set has none
        place = self._place(roots)
        place.require("SVHN")
        published = [SVHN.split_list[part] for part in ("train", "test")]
        folder = place.folder
        if folder is None:
            folder = roots[0] / self.name
            for url, name, md5 in published:
                if not (folder / name).exists():
                    fetch(url, folder / name, md5, progress)
        verify(folder, [(name, md5) for _, name, md5 in published])
        train, test = (_read(folder / name) for name in FILES)
        digits = [str(digit) for digit in range(10)]
        return images(train, test, digits, Augmentation(pad=4, flip=False))

    def _place(self, roots: Sequence[Path]) -> Place:
        # torchvision puts the two files right into its root.
        folders = [folder for root in roots for folder in (root / self.name, root)]
        return find(folders, lambda f: first_problem(f, FILES), roots, self.name)


def _read(path: Path) -> tuple[Tensor, Tensor]:
    """Pixels (N, 3, 32, 32) and labels 0 to 9 of one MATLAB file."""
    from scipy.io import loadmat  # noqa: PLC0415 - slow to import

    try:
        content: dict[str, Any] = loadmat(path)
        x_HWCN, y_N1 = content["X"], content["y"]
    except (OSError, KeyError, ValueError, TypeError, NotImplementedError) as problem:
        raise UnreadableData(
            f"{path} is not the published file: {problem}.",
            hint="Delete it and start again to fetch a fresh copy.",
        ) from problem
    x_NCHW = torch.from_numpy(x_HWCN).permute(3, 2, 0, 1)
    y_N = torch.from_numpy(y_N1.astype("int64")).flatten()
    return x_NCHW, torch.where(y_N == DIGIT_0, 0, y_N)


PLUGINS: tuple[Dataset, ...] = (Svhn(),)
