"""The catalog: what a worker can train, published by it and read by API, form and CLI."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from backend.contract.errors import InvalidInput, UnknownName
from backend.contract.params import ParamSpec, check_params
from backend.contract.specs import RunSpec, Scope


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    label: str
    help: str
    params: tuple[ParamSpec, ...] = ()


class MethodInfo(_Entry):
    """A regularisation method; `scale` says which batch norm it trains."""

    scale: Literal["bounded", "plain"]
    scope: Scope


class ArchitectureInfo(_Entry):
    """A network family for square images between two sizes in pixels."""

    min_image: int
    max_image: int


class DatasetInfo(_Entry):
    """An image data set; `status` "download" means that the first run fetches it."""

    channels: int
    image_size: int
    classes: int
    n_train: int
    n_test: int
    status: Literal["ready", "download", "missing", "unreadable"]
    detail: str = ""
    """Where the files are, or what is missing and how to get it."""
    download_bytes: int = 0

    def steps(self, epochs: int, batch_size: int, val_fraction: float) -> int:
        """Optimiser steps of a whole training: epochs · ⌈training images / batch size⌉."""
        n_train = self.n_train - round(self.n_train * val_fraction)
        return epochs * math.ceil(n_train / batch_size)


class Device(BaseModel):
    """One device of a worker: "cpu", "cuda:0", …"""

    model_config = ConfigDict(frozen=True)

    name: str
    label: str
    memory_bytes: int = 0


class Catalog(BaseModel):
    """All plug-ins and devices of one worker, with the demo run that it recommends."""

    model_config = ConfigDict(frozen=True)

    methods: tuple[MethodInfo, ...]
    architectures: tuple[ArchitectureInfo, ...]
    datasets: tuple[DatasetInfo, ...]
    devices: tuple[Device, ...]
    demo: RunSpec

    def method(self, name: str) -> MethodInfo:
        """The method of that name; raises UnknownName."""
        return _find(self.methods, "method", name)

    def architecture(self, name: str) -> ArchitectureInfo:
        """The architecture of that name; raises UnknownName."""
        return _find(self.architectures, "architecture", name)

    def dataset(self, name: str) -> DatasetInfo:
        """The data set of that name; raises UnknownName."""
        return _find(self.datasets, "dataset", name)

    def check(self, spec: RunSpec) -> RunSpec:
        """The spec with all parameters filled in, fit to be queued.

        Raises:
            UnknownName: a name or parameter that no plug-in has.
            InvalidInput: a parameter out of bounds, a data set that cannot be read, an
                image size that the network cannot take, a batch larger than the training
                split, or a device that no worker has; `field` says where.
        """
        dataset = self.dataset(spec.dataset)
        architecture = self.architecture(spec.architecture)
        method = self.method(spec.method)
        checked = {
            "name": spec.title(),
            "dataset_params": check_params(dataset.params, spec.dataset_params, "dataset_params"),
            "architecture_params": check_params(
                architecture.params, spec.architecture_params, "architecture_params"
            ),
            "method_params": check_params(
                method.params,
                spec.method_params,
                "method_params",
                steps=dataset.steps(spec.epochs, spec.batch_size, spec.val_fraction),
            ),
        }
        _check_dataset(dataset)
        _check_image(architecture, dataset)
        _check_sizes(dataset, spec)
        self._check_device(spec.device)
        return spec.model_copy(update=checked)

    def _check_device(self, device: str) -> None:
        names = [known.name for known in self.devices]
        fits = device in ("auto", *names) or (device == "cuda" and "cuda:0" in names)
        if not fits:
            raise InvalidInput(
                f"Device was {device!r}; the workers have: {', '.join(names) or 'none'}.",
                field="device",
                hint="Use 'auto' to take the best one that is free.",
            )


EntryT = TypeVar("EntryT", bound=_Entry)


def _find(entries: Sequence[EntryT], kind: str, name: str) -> EntryT:
    for entry in entries:
        if entry.name == name:
            return entry
    label = {"dataset": "data set"}.get(kind, kind)
    raise UnknownName(label, name, [entry.name for entry in entries], field=kind)


def _check_dataset(dataset: DatasetInfo) -> None:
    if dataset.status in ("missing", "unreadable"):
        raise InvalidInput(
            f"Data set {dataset.name!r} is {dataset.status}: {dataset.detail}",
            field="dataset",
            hint="`recede doctor` lists every data set and what it needs.",
        )


def _check_image(architecture: ArchitectureInfo, dataset: DatasetInfo) -> None:
    if not architecture.min_image <= dataset.image_size <= architecture.max_image:
        raise InvalidInput(
            f"{architecture.name!r} takes images of {architecture.min_image} to "
            f"{architecture.max_image} pixels; {dataset.name!r} has {dataset.image_size}.",
            field="architecture",
            hint="Choose another architecture or data set.",
        )


def _check_sizes(dataset: DatasetInfo, spec: RunSpec) -> None:
    n_val = round(dataset.n_train * spec.val_fraction)
    if n_val < dataset.classes:
        raise InvalidInput(
            f"Validation fraction {spec.val_fraction:g} leaves {n_val} of {dataset.n_train} "
            f"images for {dataset.classes} classes; at least one a class is needed.",
            field="val_fraction",
            hint="Use 0.1, the default.",
        )
    n_train = dataset.n_train - n_val
    if spec.batch_size > n_train:
        raise InvalidInput(
            f"Batch size {spec.batch_size} is larger than the {n_train} training images.",
            field="batch_size",
            hint=f"Use at most {n_train}; 64 is the default.",
        )
