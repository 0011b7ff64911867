"""Images on the device as uint8, augmented and normalised in batches there.

Tensor letters: N images of the split, B batch, C channels, H and W pixels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from worker.datasets.base import Augmentation, Images

EVAL_BATCH = 512


class Split(ABC):
    """Images and labels of one split: where batches come from."""

    y_N: Tensor

    def __len__(self) -> int:
        return int(self.y_N.shape[0])

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""

    @abstractmethod
    def to(self, device: torch.device) -> Split:
        """The same images, for batches on another device."""

    @abstractmethod
    def pick(self, index_N: Tensor) -> Split:
        """Some of the images; the index is on the CPU."""

    @abstractmethod
    def head(self, n: int) -> Tensor:
        """The first n images, uint8 NCHW on the CPU, as evaluation sees them."""

    @abstractmethod
    def training_batches(
        self, batch_size: int, augment: Augmentation, normalise: Normalisation, seed: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Shuffled, augmented batches; equal seeds give equal batches on every device.

        A last batch of a single image is left out: batch norm has no statistics of one.
        """

    @abstractmethod
    def evaluation_batches(
        self, normalise: Normalisation, size: int = EVAL_BATCH
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """All images in order, unchanged but normalised."""


@dataclass(frozen=True)
class PixelSplit(Split):
    """Images as uint8 on the device itself."""

    x_NCHW: Tensor
    y_N: Tensor

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        _, channels, height, width = self.x_NCHW.shape
        return channels, height, width

    def to(self, device: torch.device) -> PixelSplit:
        """The same images on another device."""
        return PixelSplit(self.x_NCHW.to(device), self.y_N.to(device))

    def pick(self, index_N: Tensor) -> PixelSplit:
        """Some of the images."""
        return PixelSplit(self.x_NCHW[index_N], self.y_N[index_N])

    def head(self, n: int) -> Tensor:
        """The first n images on the CPU."""
        return self.x_NCHW[:n].cpu()

    def training_batches(
        self, batch_size: int, augment: Augmentation, normalise: Normalisation, seed: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Shuffled, augmented batches; all randomness comes from the CPU."""
        device = self.x_NCHW.device
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(self), generator=generator)
        for index in torch.split(order, batch_size):
            if len(index) < 2:
                continue
            part = self.pick(index.to(device))
            x_BCHW = augmented(part.x_NCHW, augment, generator)
            yield normalise.apply(x_BCHW), part.y_N

    def evaluation_batches(
        self, normalise: Normalisation, size: int = EVAL_BATCH
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """All images in order, unchanged but normalised."""
        parts = zip(torch.split(self.x_NCHW, size), torch.split(self.y_N, size), strict=True)
        for x_BCHW, y_B in parts:
            yield normalise.apply(x_BCHW), y_B


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of pixel / 255 for each channel."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @staticmethod
    def of(images: Images) -> Normalisation:
        """That of a data set's training images."""
        return Normalisation(tuple(images.mean_C), tuple(images.std_C))

    def apply(self, x_BCHW: Tensor) -> Tensor:
        """Float images with mean 0 and deviation 1 from uint8 pixels."""
        shape = (1, -1, 1, 1)
        mean = torch.tensor(self.mean, device=x_BCHW.device).view(shape)
        std = torch.tensor(self.std, device=x_BCHW.device).view(shape)
        return (x_BCHW.float().div_(255) - mean) / std.clamp(min=1e-6)


def n_batches(n: int, batch_size: int) -> int:
    """Number of batches that `training_batches` yields for n images."""
    return n // batch_size + (1 if n % batch_size >= 2 else 0)


def augmented(x_BCHW: Tensor, augment: Augmentation, generator: torch.Generator) -> Tensor:
    """Randomly shifted by up to `pad` pixels (black outside) and mirrored, each image its own."""
    B, _, H, W = x_BCHW.shape
    device = x_BCHW.device
    if augment.flip:
        mirror_B = torch.rand(B, generator=generator).lt(0.5).to(device)
        x_BCHW = torch.where(mirror_B.view(B, 1, 1, 1), x_BCHW.flip(3), x_BCHW)
    if augment.pad:
        shifts = torch.randint(0, 2 * augment.pad + 1, (2, B), generator=generator).to(device)
        padded = functional.pad(x_BCHW, [augment.pad] * 4)
        rows = shifts[0].view(B, 1) + torch.arange(H, device=device)
        columns = shifts[1].view(B, 1) + torch.arange(W, device=device)
        image = torch.arange(B, device=device).view(B, 1, 1)
        # Indexing around the channel axis moves it to the end: (B, H, W, C).
        cropped = padded[image, :, rows.view(B, H, 1), columns.view(B, 1, W)]
        x_BCHW = cropped.permute(0, 3, 1, 2)
    return x_BCHW
