"""Fashion-MNIST: 70,000 grey images of clothing, from Debian's package or a download."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

from backend.contract.catalog import DatasetInfo
from backend.contract.params import ParamValue
from worker.datasets.base import Augmentation, Dataset, Images, Progress, UnreadableData, images
from worker.datasets.download import can_download, fetch
from worker.datasets.idx import read_idx

DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # package dataset-fashion-mnist
FOLDER = "fashion-mnist"
TORCHVISION_FOLDER = Path("FashionMNIST/raw")
FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
DOWNLOAD_BYTES = 30_878_645
IMAGE_SIZE, N_TRAIN, N_TEST = 28, 60_000, 10_000
CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


@dataclass(frozen=True)
class FashionMnist(Dataset):
    """The IDX files of Zalando Research, wherever they lie (arXiv 1708.07747)."""

    debian: Path = DEBIAN
    name = "fashion-mnist"

    def info(self, roots: Sequence[Path]) -> DatasetInfo:
        """Where the four files lie, or that the first run fetches them."""
        status, detail = self._status(roots)
        return DatasetInfo(
            name=self.name,
            label="Fashion-MNIST",
            help="70,000 grey images of clothing, 28×28 pixels, 10 classes. Harder than digits, "
            "still fast without a GPU.",
            channels=1,
            image_size=IMAGE_SIZE,
            classes=len(CLASSES),
            n_train=N_TRAIN,
            n_test=N_TEST,
            status=status,
            detail=detail,
            download_bytes=DOWNLOAD_BYTES if status == "download" else 0,
        )

    def load(
        self, roots: Sequence[Path], params: Mapping[str, ParamValue], progress: Progress
    ) -> Images:
        """All images from the first complete folder; fetches them if there is none."""
        del params  # the data set has none
        folder = self._complete_folder(roots)
        if folder is None:
            status, detail = self._status(roots)
            if status != "download":
                raise UnreadableData(f"Fashion-MNIST is {status}: {detail}")
            folder = roots[0] / FOLDER
            _download(folder, progress)
        train_x, train_y, test_x, test_y = (read_idx(_existing(folder, name)) for name in FILES)
        _check(folder, train_x, train_y, N_TRAIN)
        _check(folder, test_x, test_y, N_TEST)
        return images(
            (train_x[:, None], train_y),
            (test_x[:, None], test_y),
            CLASSES,
            Augmentation(pad=2, flip=True),
        )

    def _folders(self, roots: Sequence[Path]) -> Iterator[Path]:
        for root in roots:
            yield root / FOLDER
            yield root / TORCHVISION_FOLDER
        yield self.debian

    def _complete_folder(self, roots: Sequence[Path]) -> Path | None:
        """The first folder with four readable files."""
        return next((f for f in self._folders(roots) if _first_problem(f) is None), None)

    def _status(
        self, roots: Sequence[Path]
    ) -> tuple[Literal["ready", "download", "missing", "unreadable"], str]:
        folder = self._complete_folder(roots)
        if folder is not None:
            return "ready", f"In {folder}."
        problems = [_first_problem(folder) for folder in self._folders(roots)]
        forbidden = [p for p in problems if p and not isinstance(p, FileNotFoundError)]
        if forbidden:
            problem = forbidden[0]
            return "unreadable", f"Cannot read {problem.filename}: {problem.strerror}."
        if can_download(roots):
            return "download", f"Will be fetched into {roots[0] / FOLDER}."
        where = f"{roots[0]} cannot be written" if roots else "there is no data folder"
        return "missing", (
            f"It cannot be fetched, for {where}. Mend that, or install the Debian package "
            "dataset-fashion-mnist."
        )


def _existing(folder: Path, name: str) -> Path:
    packed = folder / f"{name}.gz"
    return packed if packed.exists() else folder / name


def _first_problem(folder: Path) -> OSError | None:
    """Why the folder cannot be used, or None if its four files can be opened."""
    for name in FILES:
        try:
            with _existing(folder, name).open("rb") as file:
                file.read(1)
        except OSError as problem:
            return problem
    return None


def _check(folder: Path, x_NHW: Tensor, y_N: Tensor, n: int) -> None:
    found = (*x_NHW.shape, *y_N.shape)
    if found != (n, IMAGE_SIZE, IMAGE_SIZE, n) or int(y_N.max()) >= len(CLASSES):
        raise UnreadableData(
            f"The files in {folder} hold arrays of {found}; Fashion-MNIST has {n} images of "
            f"{IMAGE_SIZE}×{IMAGE_SIZE} pixels in {len(CLASSES)} classes here.",
            hint="Another data set lies in this folder; move it away.",
        )


def _download(folder: Path, progress: Progress) -> None:
    from torchvision.datasets import FashionMNIST  # noqa: PLC0415 - slow to import

    for name, md5 in FashionMNIST.resources:
        if not (folder / name).exists():
            fetch(FashionMNIST.mirrors[0] + name, folder / name, md5, progress)


PLUGINS: tuple[Dataset, ...] = (FashionMnist(),)
