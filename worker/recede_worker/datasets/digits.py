"""Digits: 1,797 real handwritten digits that scikit-learn ships, ready on every machine."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

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
from recede_worker.images.split import stratified_split

FILE = ("datasets", "data", "digits.csv.gz")
FILE_SIZE, IMAGE_SIZE = 8, 32
MAX_INTENSITY = 16  # the files count the dark pixels of each 4×4 square
TEST_FRACTION = 0.2
TEST_SEED = 0  # fixed: the test set is the same for every run
N_TEST, N_TOTAL = 359, 1797


class Digits(Dataset):
    """8×8 handwritten digits, enlarged to 32×32 pixels."""

    name = "digits"
    demo = MappingProxyType({"epochs": 40, "batch_size": 32, "val_fraction": 0.25})

    def info(self, roots: Sequence[Path]) -> DatasetInfo:
        """Ready wherever scikit-learn is installed; it needs none of the roots."""
        del roots
        installed = importlib.util.find_spec("sklearn") is not None
        return DatasetInfo(
            name=self.name,
            label="Digits",
            help="1,797 handwritten digits of 8×8 pixels, enlarged to 32×32. Small and always "
            "there: a training takes minutes, even without a GPU.",
            channels=1,
            image_size=IMAGE_SIZE,
            classes=10,
            n_train=N_TOTAL - N_TEST,
            n_test=N_TEST,
            status="ready" if installed else "missing",
            detail="Part of scikit-learn."
            if installed
            else "scikit-learn is not installed; run `pip install scikit-learn`.",
        )

    def load(
        self, roots: Sequence[Path], params: Mapping[str, ParamValue], progress: Progress
    ) -> Images:
        """All digits, a fixed stratified fifth of them as test set."""
        del roots, params, progress
        table = torch.from_numpy(_table())
        x_NCHW = _enlarged(table[:, :-1].reshape(-1, FILE_SIZE, FILE_SIZE))
        y_N = table[:, -1].long()
        train, test = stratified_split(y_N, TEST_FRACTION, TEST_SEED)
        return images(
            (x_NCHW[train], y_N[train]),
            (x_NCHW[test], y_N[test]),
            [str(digit) for digit in range(10)],
            Augmentation(pad=2, flip=False),
        )


def _table() -> NDArray[np.float32]:
    """One row a digit: its 64 intensities, then which digit it is.

    Read from scikit-learn's file without importing the package: that takes 1.5 s of processor
    time, which every process of a job would spend again.
    """
    installed = importlib.util.find_spec("sklearn")
    if installed is None or not installed.submodule_search_locations:
        raise UnreadableData(
            "scikit-learn, which ships the digits, is not installed.",
            hint="Run `pip install scikit-learn`.",
        )
    path = Path(installed.submodule_search_locations[0], *FILE)
    try:
        table = np.loadtxt(path, delimiter=",", dtype=np.float32)
    except (OSError, ValueError) as problem:
        raise UnreadableData(
            f"The digits cannot be read from scikit-learn's {path}: {problem}.",
            hint="Install it again: `pip install --force-reinstall scikit-learn`.",
        ) from problem
    if table.shape != (N_TOTAL, FILE_SIZE**2 + 1):
        raise UnreadableData(
            f"scikit-learn's {path} holds a table of {table.shape}, not the "
            f"{N_TOTAL} × {FILE_SIZE**2 + 1} numbers of the digits.",
            hint="Install it again: `pip install --force-reinstall scikit-learn`.",
        )
    return table


def _enlarged(x_NHW: Tensor) -> Tensor:
    """Uint8 images (N, 1, 32, 32) of intensities in [0, 16], by bilinear interpolation."""
    large = functional.interpolate(
        x_NHW.float()[:, None], size=(IMAGE_SIZE, IMAGE_SIZE), mode="bilinear"
    )
    return (large * (255 / MAX_INTENSITY)).round().clamp(0, 255).to(torch.uint8)


PLUGINS: tuple[Dataset, ...] = (Digits(),)
