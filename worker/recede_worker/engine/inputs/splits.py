"""Where batches come from: images on the device as uint8, augmented and normalised there.

Tensor letters: N images of the split, B batch, C channels, H and W pixels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from recede_worker.images.dataset import Augmentation, Images

EVAL_BATCH = 512


@dataclass(frozen=True)
class Share:
    """Which part of each batch one of several processes takes."""

    rank: int = 0
    size: int = 1

    @property
    def least(self) -> int:
        """Images that a batch must have: two for batch norm, one for each process."""
        return max(2, self.size)

    def of(self, first: int, last: int) -> slice:
        """This process's part of the places [first, last); parts differ by one at most."""
        part, longer = divmod(last - first, self.size)
        start = first + self.rank * part + min(self.rank, longer)
        return slice(start, start + part + (self.rank < longer))


WHOLE = Share()


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
        self,
        batch_size: int,
        augment: Augmentation,
        normalise: Normalisation,
        seed: int,
        share: Share = WHOLE,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Shuffled, augmented batches; equal seeds give equal batches on every device.

        Of each batch only the share of this process is made. A last batch of a single image
        is left out, for batch norm has no statistics of one, and so is one that cannot be
        shared; `n_batches` counts what is left.
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
        self,
        batch_size: int,
        augment: Augmentation,
        normalise: Normalisation,
        seed: int,
        share: Share = WHOLE,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Shuffled, augmented batches; all that is random is drawn on the CPU beforehand."""
        device = self.x_NCHW.device
        draws = Draws.of(len(self), augment, seed).to(device)
        to_float = normalise.on(device)
        for place_B in shares(len(self), batch_size, share):
            index_B = draws.order_N[place_B]
            x_BCHW = augmented(self.x_NCHW[index_B], augment, draws.pick(place_B))
            yield to_float(x_BCHW), self.y_N[index_B]

    def evaluation_batches(
        self, normalise: Normalisation, size: int = EVAL_BATCH
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """All images in order, unchanged but normalised."""
        to_float = normalise.on(self.x_NCHW.device)
        parts = zip(torch.split(self.x_NCHW, size), torch.split(self.y_N, size), strict=True)
        for x_BCHW, y_B in parts:
            yield to_float(x_BCHW), y_B


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of pixel / 255 for each channel."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @staticmethod
    def of(images: Images) -> Normalisation:
        """That of a data set's training images."""
        return Normalisation(tuple(images.mean_C), tuple(images.std_C))

    def on(self, device: torch.device) -> Callable[[Tensor], Tensor]:
        """From uint8 pixels there to floats with mean 0 and deviation 1, channels last."""
        shape = (1, -1, 1, 1)
        std = torch.tensor(self.std, dtype=torch.float64).clamp(min=1e-6)
        factor = (1 / (255 * std)).float().to(device).view(shape)
        offset = (
            (-torch.tensor(self.mean, dtype=torch.float64) / std).float().to(device).view(shape)
        )

        def to_float(x_BCHW: Tensor) -> Tensor:
            wide = x_BCHW.to(torch.float32, memory_format=torch.channels_last)
            return torch.addcmul(offset, wide, factor)

        return to_float

    def apply(self, x_BCHW: Tensor) -> Tensor:
        """Float images of one batch."""
        return self.on(x_BCHW.device)(x_BCHW)


@dataclass(frozen=True)
class Draws:
    """All that is random in one epoch: the order, and for each place in it flip and shift."""

    order_N: Tensor
    mirror_N: Tensor
    shifts_2N: Tensor
    """Rows and columns that a crop starts at, in 0 … 2 · pad."""

    @staticmethod
    def of(n: int, augment: Augmentation, seed: int) -> Draws:
        """Drawn on the CPU, so that equal seeds give equal epochs on every device."""
        generator = torch.Generator().manual_seed(seed)
        return Draws(
            torch.randperm(n, generator=generator),
            torch.rand(n, generator=generator).lt(0.5),
            torch.randint(0, 2 * augment.pad + 1, (2, n), generator=generator),
        )

    def to(self, device: torch.device) -> Draws:
        """The same on another device: one copy an epoch, for each copy is a wait."""
        return Draws(self.order_N.to(device), self.mirror_N.to(device), self.shifts_2N.to(device))

    def pick(self, places: slice) -> tuple[Tensor, Tensor]:
        """Flips (B) and shifts (2, B) of some places."""
        return self.mirror_N[places], self.shifts_2N[:, places]


def shares(n: int, batch_size: int, share: Share = WHOLE) -> Iterator[slice]:
    """Places in an epoch of n images that this process takes of each batch."""
    for first in range(0, n, batch_size):
        last = min(first + batch_size, n)
        if last - first >= share.least:
            yield share.of(first, last)


def n_batches(n: int, batch_size: int, share: Share = WHOLE) -> int:
    """Number of batches that `training_batches` yields for n images."""
    return sum(1 for _ in shares(n, batch_size, share))


def augmented(x_BCHW: Tensor, augment: Augmentation, draws: tuple[Tensor, Tensor]) -> Tensor:
    """Mirrored, and shifted by up to `pad` pixels (black outside), each image as drawn."""
    mirror_B, shifts_2B = draws
    B, _, H, W = x_BCHW.shape
    device = x_BCHW.device
    if augment.flip:
        x_BCHW = torch.where(mirror_B.view(B, 1, 1, 1), x_BCHW.flip(3), x_BCHW)
    if augment.pad:
        padded = functional.pad(x_BCHW, [augment.pad] * 4)
        rows = shifts_2B[0].view(B, 1) + torch.arange(H, device=device)
        columns = shifts_2B[1].view(B, 1) + torch.arange(W, device=device)
        image = torch.arange(B, device=device).view(B, 1, 1)
        # Indexing around the channel axis moves it to the end: (B, H, W, C), channels last.
        cropped = padded[image, :, rows.view(B, H, 1), columns.view(B, 1, W)]
        x_BCHW = cropped.permute(0, 3, 1, 2)
    return x_BCHW
