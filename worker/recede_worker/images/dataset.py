"""What a data set offers: a quick check of its files, and all of its images as tensors.

Tensor letters: N images, C channels, H and W pixels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import torch
from torch import Tensor

from recede.contract.errors import StorageProblem
from recede.contract.spec.catalog import DatasetInfo
from recede.contract.spec.params import ParamValue


class Progress(Protocol):
    """Reports how far fetching or reading is; if it raises, nothing half done is left."""

    def __call__(self, done: int, total: int, message: str, unit: str = "bytes", /) -> None:
        """So many of the total, in the unit; total 0 is unknown."""


FILES_ZOOM = 8 / 7
"""Images decoded batch by batch are cropped as is usual: the middle 224 of 256 pixels."""
CHUNK = 4096  # images summed at a time: bounds the float copies to some 50 MB


class UnreadableData(StorageProblem):
    """A file of a data set that is missing, damaged or forbidden; the message names it."""

    code = "unreadable_data"
    report: dict[str, Any] | None = None
    """What was found, where files were checked one by one."""


@dataclass(frozen=True)
class Augmentation:
    """Random crops of the image padded by `pad` pixels, and mirroring left to right."""

    pad: int
    flip: bool


@dataclass(frozen=True)
class Pixels:
    """Images of one size in memory: uint8 NCHW, and int64 labels."""

    x_NCHW: Tensor
    y_N: Tensor


@dataclass(frozen=True)
class Files:
    """Images on disk, decoded when they are needed; what they become is square."""

    paths: tuple[str, ...]
    """Absolute; text, since a million Path objects would fill half a gigabyte."""
    y_N: Tensor
    size: int
    """Height and width in pixels after cropping."""
    channels: int
    zoom: float = FILES_ZOOM
    """The middle square that is seen is 1 / zoom of the shorter side wide."""
    interpolation: str = "bilinear"
    """How it is resized; the name that torchvision has for it."""


Part = Pixels | Files


@dataclass(frozen=True)
class Images:
    """A whole data set; statistics are those of training pixels / 255.

    Parts that are None are split off the training images, stratified and seeded.
    """

    train: Part
    val: Part | None
    test: Part | None
    mean_C: tuple[float, ...]
    std_C: tuple[float, ...]
    classes: tuple[str, ...]
    augment: Augmentation
    report: dict[str, Any] | None = None
    """What was found in its files (JSON), if they are the user's own."""


class Dataset(ABC):
    """One image data set that may lie in several data roots; downloads go to the first."""

    name: str
    demo: Mapping[str, Any] = MappingProxyType({})
    """Settings of a demo run on these images; empty if there is none."""

    @abstractmethod
    def info(self, roots: Sequence[Path]) -> DatasetInfo:
        """Its catalog entry with the status of its files; reads little, never raises."""

    @abstractmethod
    def load(
        self, roots: Sequence[Path], params: Mapping[str, ParamValue], progress: Progress
    ) -> Images:
        """All images; fetches them first if `info` says "download".

        `params` are checked values, one for each ParamSpec of `info`.

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
        Pixels(train[0].contiguous(), train[1].long()),
        None,
        Pixels(test[0].contiguous(), test[1].long()),
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
