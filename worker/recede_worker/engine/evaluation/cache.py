"""The cache of a process that serves many jobs: images of runs, networks of epochs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from torch import nn

from recede_worker.core.cutting.surgery import Surgeon
from recede_worker.engine.inputs.load import Data, Network
from recede_worker.engine.inputs.parts import Classes, Source
from recede_worker.engine.inputs.splits import Split

MAX_RUNS = 3
MAX_EPOCHS = 8


@dataclass(frozen=True)
class CachedRun:
    """What all epochs of a run share."""

    data: Data
    network: Network
    validation: Split
    """On the device."""
    source: Source


@dataclass
class CachedEpoch:
    """The folded network with the weights of one epoch, on the CPU, and its surgeon."""

    dense: nn.Module
    surgeon: Surgeon
    predicted_N: Classes | None = None
    """Its class for each validation image, once that is known."""


Key = tuple[str, int, str]
"""Run, epoch and SHA-256 of the weights."""


@dataclass
class Cache:
    """The most recently used runs and epochs; the least recently used is evicted first."""

    slim: bool = False
    """Keep the validation images only: an evaluation needs no others."""
    runs: OrderedDict[str, CachedRun] = field(default_factory=OrderedDict)
    epochs: OrderedDict[Key, CachedEpoch] = field(default_factory=OrderedDict)

    def run(self, run_id: str) -> CachedRun | None:
        """The run, if it is cached."""
        if run_id in self.runs:
            self.runs.move_to_end(run_id)
        return self.runs.get(run_id)

    def epoch(self, key: Key) -> CachedEpoch | None:
        """The epoch, if it is cached with exactly these weights."""
        if key in self.epochs:
            self.epochs.move_to_end(key)
        return self.epochs.get(key)

    def add_run(self, run_id: str, run: CachedRun) -> None:
        """Cache a run."""
        fresh = self.runs.get(run_id) is not run
        self.runs[run_id] = replace(run, data=_slim(run.data)) if self.slim and fresh else run
        while len(self.runs) > MAX_RUNS:
            gone, _ = self.runs.popitem(last=False)
            self._drop_epochs_of(gone)

    def add_epoch(self, key: Key, epoch: CachedEpoch) -> None:
        """Cache an epoch."""
        self.epochs[key] = epoch
        while len(self.epochs) > MAX_EPOCHS:
            self.epochs.popitem(last=False)

    def drop_all_but(self, run_ids: Collection[str]) -> None:
        """Evict runs that were deleted."""
        for gone in [run_id for run_id in self.runs if run_id not in run_ids]:
            del self.runs[gone]
            self._drop_epochs_of(gone)

    def _drop_epochs_of(self, run_id: str) -> None:
        for key in [key for key in self.epochs if key[0] == run_id]:
            del self.epochs[key]


class _DroppedSplit(Split):
    """A split whose images are not kept: only its labels and their shape are known."""

    def __init__(self, split: Split) -> None:
        self._shape = split.shape
        self.y_N = split.y_N

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        return self._shape

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("An evaluation keeps only the validation images.")

    to = pick = head = training_batches = evaluation_batches = _refuse


def _slim(data: Data) -> Data:
    return replace(data, train=_DroppedSplit(data.train), test=_DroppedSplit(data.test))
