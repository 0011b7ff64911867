"""What a data set offers: a cheap look at its files, and all of its images as tensors.

Tensor letters: N images, C channels, H and W pixels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from backend.contract.catalog import DatasetInfo
from backend.contract.errors import StorageProblem

Progress = Callable[[int, int, str], None]
"""Told (done_bytes, total_bytes, message) while files are fetched; total 0 is unknown."""

CHUNK = 4096  # images summed at a time: bounds the float copies to some 50 MB


class UnreadableData(StorageProblem):
    """A file of a data set that is missing, damaged or forbidden; the message names it."""

    code = "unreadable_data"


@dataclass(frozen=True)
class Augmentation:
    """Random crops of the image padded by `pad` pixels, and mirroring left to right."""

    pad: int
    flip: bool


@dataclass(frozen=True)
class Images:
    """A whole data set: uint8 pixels NCHW, int64 labels, statistics of train pixels / 255."""

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor
    mean_C: tuple[float, ...]
    std_C: tuple[float, ...]
    classes: tuple[str, ...]
    augment: Augmentation


class Dataset(ABC):
    """One image data set that may lie in several data roots; downloads go to the first."""

    name: str

    @abstractmethod
    def info(self, roots: Sequence[Path]) -> DatasetInfo:
        """Its catalog entry with the status of its files; looks, reads little, never raises."""

    @abstractmethod
    def load(self, roots: Sequence[Path], progress: Progress) -> Images:
        """All images; fetches them first if `info` says "download".

        Raises:
            UnreadableData: a file is missing, damaged or forbidden.
            DownloadFailed: a file could not be fetched; nothing half done is left behind.
        """


def images(
    train: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
    classes: Sequence[str],
    augment: Augmentation,
) -> Images:
    """Images from (pixels uint8 NCHW, labels) of both parts, with statistics over train."""
    mean_C, std_C = pixel_statistics(train[0])
    return Images(
        train[0].contiguous(),
        train[1].long(),
        test[0].contiguous(),
        test[1].long(),
        mean_C,
        std_C,
        tuple(classes),
        augment,
    )


def pixel_statistics(x_NCHW: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel's pixels / 255."""
    total_C = torch.zeros(x_NCHW.shape[1], dtype=torch.float64)
    squares_C = torch.zeros_like(total_C)
    for part in torch.split(x_NCHW, CHUNK):
        wide = part.to(torch.int32)  # whole numbers: exact in any order
        total_C += wide.sum(dim=(0, 2, 3), dtype=torch.int64)
        squares_C += wide.square().sum(dim=(0, 2, 3), dtype=torch.int64)
    n = x_NCHW.numel() / x_NCHW.shape[1]
    mean_C = total_C / n
    std_C = (squares_C / n - mean_C.square()).clamp(min=0).sqrt()
    return tuple((mean_C / 255).tolist()), tuple((std_C / 255).tolist())
