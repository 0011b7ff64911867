"""Images too many for the memory: decoded in processes of their own while the network trains.

Tensor letters: N images of the split, B batch, C channels, H and W pixels.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import wait
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import InterpolationMode, v2

from recede_worker.engine.inputs.splits import (
    EVAL_BATCH,
    WHOLE,
    Normalisation,
    Share,
    Split,
    shares,
)
from recede_worker.images.dataset import (
    Augmentation,
    Files,
    UnreadableData,
)
from recede_worker.images.folders.decode import (
    BadImage,
    decode,
    square,
)
from recede_worker.images.folders.load import budget
from recede_worker.process.lifetime import warm_context

EVAL_PIXELS = EVAL_BATCH * 96 * 96
"""Pixels of one batch of evaluation: larger images come in smaller batches."""

MAX_LOADERS = 16
WAIT_S = 300.0


class Item(NamedTuple):
    """One image that a loading process makes; without a seed as evaluation sees it."""

    path: str
    place: int
    seed: int | None


@dataclass
class Kept:
    """Decoded evaluation images, once a whole pass has made them."""

    x_NCHW: Tensor | None = None


@dataclass(frozen=True)
class FileSplit(Split):
    """Images on disk; batches are made ahead by `loaders` processes (0: in this one)."""

    files: Files
    y_N: Tensor
    loaders: int = 0
    kept: Kept = field(default_factory=Kept)

    @staticmethod
    def of(files: Files, threads: int) -> FileSplit:
        """A split whose loading processes share as many cores as a job has threads."""
        return FileSplit(files, files.y_N, min(max(1, threads), MAX_LOADERS))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        return self.files.channels, self.files.size, self.files.size

    def to(self, device: torch.device) -> FileSplit:
        """The same images, for batches on another device."""
        return FileSplit(self.files, self.y_N.to(device), self.loaders, self.kept)

    def pick(self, index_N: Tensor) -> FileSplit:
        """Some of the images."""
        paths = tuple(self.files.paths[i] for i in index_N.tolist())
        files = replace(self.files, paths=paths, y_N=self.files.y_N[index_N])
        return FileSplit(files, self.y_N[index_N.to(self.y_N.device)], self.loaders)

    def head(self, n: int) -> Tensor:
        """The first n images on the CPU."""
        if self.kept.x_NCHW is not None:
            return self.kept.x_NCHW[:n]
        items = [Item(path, 0, None) for path in self.files.paths[:n]]
        return _whole(_joined([self._maker(None)[item] for item in items]))

    def training_batches(
        self,
        batch_size: int,
        augment: Augmentation,
        normalise: Normalisation,
        seed: int,
        share: Share = WHOLE,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Shuffled crops of random size and form, mirrored at random.

        Each image has its own random numbers, from the seed and its place in the split:
        neither the number of loading processes nor the share changes them.
        """
        generator = torch.Generator().manual_seed(seed)
        order_N = torch.randperm(len(self), generator=generator)
        index = [order_N[places] for places in shares(len(self), batch_size, share)]
        to_float = normalise.on(self.y_N.device)
        for index_B, x_BCHW in zip(index, self._made(index, seed, augment), strict=True):
            yield to_float(x_BCHW), self.y_N[index_B.to(self.y_N.device)]

    def evaluation_batches(
        self, normalise: Normalisation, size: int = EVAL_BATCH
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """All images in order, the middle of each; kept in memory if they fit."""
        size = max(1, min(size, EVAL_PIXELS // self.files.size**2))
        to_float = normalise.on(self.y_N.device)
        labels = torch.split(self.y_N, size)
        for x_BCHW, y_B in zip(self._evaluated(size), labels, strict=True):
            yield to_float(x_BCHW.to(self.y_N.device, non_blocking=True)), y_B

    def _evaluated(self, size: int) -> Iterator[Tensor]:
        if self.kept.x_NCHW is not None:
            yield from torch.split(self.kept.x_NCHW, size)
            return
        n_bytes = len(self) * int(np.prod(self.shape))
        x_NCHW = None
        if n_bytes <= budget():
            x_NCHW = torch.empty((len(self), *self.shape), dtype=torch.uint8)
        start = 0
        for x_BCHW in self._made(torch.split(torch.arange(len(self)), size), None, None):
            if x_NCHW is not None:
                x_NCHW[start : start + len(x_BCHW)] = x_BCHW
            start += len(x_BCHW)
            yield x_BCHW
        self.kept.x_NCHW = x_NCHW

    def _made(
        self, index: Sequence[Tensor], seed: int | None, augment: Augmentation | None
    ) -> Iterator[Tensor]:
        """Batches of uint8 images on the device, in the order of the index."""
        device = self.y_N.device
        loader = _loader(
            self._maker(augment),
            _Order(self.files.paths, index, seed),
            min(self.loaders, len(index)),
            pin=device.type == "cuda",
        )
        try:
            for made in loader:
                yield _whole(made).to(device, non_blocking=True)
        except RuntimeError as problem:
            if "DataLoader" not in str(problem):
                raise
            raise UnreadableData(
                f"A process that decodes images ended unexpectedly: {problem}",
                hint="The system may have run out of memory, or out of shared memory (/dev/shm; "
                "Docker's --shm-size): use a smaller batch size.",
            ) from problem

    def _maker(self, augment: Augmentation | None) -> _Maker:
        flip = augment is not None and augment.flip
        return _Maker(replace(self.files, paths=(), y_N=torch.empty(0)), flip)


class _Maker(Dataset[Any]):
    """Runs in the loading processes; knows no list of files, for that would be copied there."""

    def __init__(self, form: Files, flip: bool) -> None:
        self.form = form
        mode = InterpolationMode(form.interpolation)
        crop = v2.RandomResizedCrop(form.size, interpolation=mode)
        flips = [v2.RandomHorizontalFlip()] if flip else []
        self.augment: Callable[[Any], Any] = v2.Compose([crop, *flips])
        self.to_tensor: Callable[[Any], Tensor] = v2.PILToTensor()

    def __getitem__(self, item: Item) -> Tensor | str:
        """The image (C, H, W) in uint8, or why there is none."""
        try:
            image, _ = decode(item.path, self.form.channels, self.form.size)
        except BadImage as problem:
            return f"{item.path} {problem}"
        if item.seed is None:
            form = self.form
            return self.to_tensor(square(image, form.size, form.zoom, form.interpolation))
        with torch.random.fork_rng(devices=[]):
            mixed = np.random.SeedSequence((item.seed, item.place)).generate_state(1)
            torch.default_generator.manual_seed(int(mixed[0]))
            return self.to_tensor(self.augment(image))


class _Order:
    """Lists of items, one for each batch."""

    def __init__(self, paths: Sequence[str], index: Sequence[Tensor], seed: int | None) -> None:
        self.paths, self.index, self.seed = paths, index, seed

    def __len__(self) -> int:
        return len(self.index)

    def __iter__(self) -> Iterator[list[Item]]:
        for index_B in self.index:
            yield [Item(self.paths[place], place, self.seed) for place in index_B.tolist()]


def _loader(maker: _Maker, order: _Order, loaders: int, *, pin: bool) -> DataLoader[Any]:
    more: dict[str, Any] = {}
    if loaders:
        more = {
            "multiprocessing_context": warm_context(__name__),
            "worker_init_fn": _begin,
            "timeout": WAIT_S,
        }
    return DataLoader(
        maker,
        batch_sampler=order,
        num_workers=loaders,
        collate_fn=_joined,
        pin_memory=pin,
        generator=torch.Generator(),  # else it draws from the stream that training uses
        **more,
    )


def _begin(_: int) -> None:
    """In a loading process: end as soon as the job's process is gone."""
    warnings.simplefilter("ignore")  # Pillow warns of odd metadata in files that it reads well
    job = multiprocessing.parent_process()
    assert job is not None

    def watch() -> None:
        wait([job.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="job", daemon=True).start()


def _joined(images: list[Tensor | str]) -> Tensor | str:
    """One batch, or the first reason why there is none."""
    bad = next((image for image in images if isinstance(image, str)), None)
    return bad if bad is not None else torch.stack([x for x in images if isinstance(x, Tensor)])


def _whole(made: Tensor | str) -> Tensor:
    if isinstance(made, str):
        raise UnreadableData(
            f"{made}. It was a complete image when the files were checked.",
            hint="Restore the file, or start the run again to have the folder checked again.",
        )
    return made
