"""The catalog: what a worker can train, published by it and read by API, form and CLI."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from recede.contract.errors import InvalidInput, UnknownName
from recede.contract.network.pixels import Normalize
from recede.contract.spec.params import (
    ParamSpec,
    ParamValue,
    check_params,
)
from recede.contract.spec.published import PublishedWeights, as_trained, chosen, named
from recede.contract.spec.recipes import RECIPES, Recipe
from recede.contract.spec.run import RunSpec, Scope

Status = Literal["ready", "download", "missing", "unreadable"]

CHANNELS = {"rgb": 3, "grey": 1}
"""What the parameter `colour` of a data set makes of its images."""
MIN_IMAGE, MAX_IMAGE = 16, 512
"""Bounds of the parameter `image_size`, in pixels."""


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

    def given(self, spec: RunSpec) -> dict[str, Any]:
        """Parameters that the spec gives: a fine-tuning that names no strength has none.

        Strengths are the parameters that belong to a number of steps. The published
        fine-tuning is the same recipe without the regulariser. Nor has one that takes no step.
        """
        if spec.trains and not spec.fine_tunes:
            return spec.method_params
        none = {p.name: 0.0 for p in self.params if p.per_steps is not None and not p.minimum}
        return none | spec.method_params


class CriterionInfo(_Entry):
    """One way to rank the neurons of a trained network; higher scores stay."""


class ArchitectureInfo(_Entry):
    """A network family for square images between two sizes in pixels."""

    min_image: int
    max_image: int
    published: tuple[PublishedWeights, ...] = ()
    """Weights that its library publishes, which a run may start from."""

    def weights_of(self, spec: RunSpec) -> PublishedWeights | None:
        """The published weights that a spec starts from, if any; raises UnknownName."""
        tag = self.tag_of(spec)
        return None if tag is None else chosen(self.published, self._params(spec), tag)

    def tag_of(self, spec: RunSpec) -> str | None:
        """The tag of published weights that a spec asks for, or that the name of its file says."""
        if spec.init is None:
            return None
        if spec.init.file is not None:
            return named(self.published, self._params(spec), spec.init.file)
        return spec.init.pretrained

    def _params(self, spec: RunSpec) -> dict[str, Any]:
        return {p.name: p.default for p in self.params} | spec.architecture_params


class DatasetVariant(BaseModel):
    """One folder that a data set with a `path` parameter was found in."""

    model_config = ConfigDict(frozen=True)

    path: str
    """Absolute."""
    name: str
    """Below its data root, which is how users name it."""
    classes: int
    n_train: int
    n_test: int
    """0 if there is no test folder: then the test images are taken from the training ones."""
    status: Status
    detail: str = ""


class DatasetInfo(_Entry):
    """An image data set; `status` "download" means that the first run fetches it."""

    channels: int
    image_size: int
    classes: int
    n_train: int
    n_test: int
    status: Status
    detail: str = ""
    """Where the files are, or what is missing and how to get it."""
    download_bytes: int = 0
    variants: tuple[DatasetVariant, ...] = ()
    """Folders that `path` may name, for a data set that has this parameter."""

    def resolved(self, params: Mapping[str, ParamValue]) -> DatasetInfo:
        """What these checked parameters make of it: folder, image size and channels.

        Raises:
            InvalidInput: `path` is none of the folders found under the data roots.
        """
        changes: dict[str, Any] = {}
        if "path" in params:
            found = self._variant(str(params["path"]))
            facts = ("classes", "n_train", "n_test", "status", "detail")
            changes = {fact: getattr(found, fact) for fact in facts}
        if "image_size" in params:
            changes["image_size"] = params["image_size"]
        if "colour" in params:
            changes["channels"] = CHANNELS[str(params["colour"])]
        return self.model_copy(update=changes)

    def _variant(self, path: str) -> DatasetVariant:
        wanted = path.rstrip("/")
        for variant in self.variants:
            if wanted in (variant.name, variant.path):
                return variant
        known = ", ".join(variant.name for variant in self.variants[:20])
        raise InvalidInput(
            f"Path was {path!r}; "
            + (f"the data roots hold: {known}." if known else "no such folder was found."),
            field="dataset_params.path",
            hint="Only folders under a data root can be read. Put a folder with train/CLASS/ "
            "into the data folder's datasets/, or name its parent in RECEDE_DATA_ROOTS and "
            "restart the worker.",
        )

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
    processes: int = 1
    """How many processes of one training may share it: the cores of a CPU, 1 for a GPU."""


class Catalog(BaseModel):
    """All plug-ins and devices of one worker, with the demo run that it recommends."""

    model_config = ConfigDict(frozen=True)

    methods: tuple[MethodInfo, ...]
    architectures: tuple[ArchitectureInfo, ...]
    datasets: tuple[DatasetInfo, ...]
    devices: tuple[Device, ...]
    demo: RunSpec
    criteria: tuple[CriterionInfo, ...] = ()
    """What neurons can be ranked by, the method's own importance first."""
    recipes: tuple[Recipe, ...] = tuple(RECIPES)
    """How a cut network can be fine-tuned."""
    problems: tuple[str, ...] = ()
    """Which of the user's files, such as those of networks, could not be used; a sentence each."""

    def method(self, name: str) -> MethodInfo:
        """The method of that name; raises UnknownName."""
        return _find(self.methods, "method", name)

    def architecture(self, name: str) -> ArchitectureInfo:
        """The architecture of that name; raises UnknownName."""
        return _find(self.architectures, "architecture", name)

    def dataset(self, name: str) -> DatasetInfo:
        """The data set of that name; raises UnknownName."""
        return _find(self.datasets, "dataset", name)

    def criterion(self, name: str) -> CriterionInfo:
        """The criterion of that name; raises UnknownName."""
        return _find(self.criteria, "criterion", name)

    def check(self, spec: RunSpec) -> RunSpec:
        """The spec with all parameters filled in, fit to be queued.

        Raises:
            UnknownName: a name or parameter that no plug-in has.
            InvalidInput: a parameter out of bounds, a data set that cannot be read, an
                image size that the network cannot take, a batch larger than the training
                split, a device that no worker has or more processes than devices; `field`
                says where.
        """
        plain = self.dataset(spec.dataset)
        architecture = self.architecture(spec.architecture)
        weights = architecture.weights_of(spec)
        spec = as_trained(spec, weights, [p.name for p in plain.params])
        dataset_params = check_params(plain.params, spec.dataset_params, "dataset_params")
        dataset = plain.resolved(dataset_params)
        method = self.method(spec.method)
        checked = {
            "name": spec.title(),
            "dataset_params": dataset_params,
            "architecture_params": check_params(
                architecture.params, spec.architecture_params, "architecture_params"
            ),
            "method_params": check_params(
                method.params,
                method.given(spec),
                "method_params",
                steps=dataset.steps(spec.epochs, spec.batch_size, spec.val_fraction),
                gated=spec.scale == "gate",
            ),
        }
        _check_dataset(dataset)
        _check_image(architecture, dataset)
        _check_channels(dataset, spec, weights)
        _check_sizes(dataset, spec)
        _check_recipe(spec)
        self._check_device(spec.device)
        self._check_processes(spec)
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

    def _check_processes(self, spec: RunSpec) -> None:
        gpus = [known for known in self.devices if known.name.startswith("cuda")]
        cores = max((known.processes for known in self.devices if known.name == "cpu"), default=1)
        on_cpu = spec.device == "cpu" or (spec.device == "auto" and not gpus)
        named = ":" in spec.device
        most = cores if on_cpu else 1 if named else len(gpus)
        if spec.processes > most:
            raise InvalidInput(
                f"Processes were {spec.processes}; device {spec.device!r} takes at most {most}, "
                f"one for each {'CPU core' if on_cpu else 'GPU'}.",
                field="processes",
                hint=f"Use {most}" + (", or the device 'cuda' for several GPUs." * named or "."),
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


def _check_channels(dataset: DatasetInfo, spec: RunSpec, weights: PublishedWeights | None) -> None:
    if weights is not None and len(weights.normalize.mean) != dataset.channels:
        by_name = spec.init is not None and spec.init.file is not None
        other = " If the file holds other weights, give it another name." if by_name else ""
        raise InvalidInput(
            f"These weights take images of {len(weights.normalize.mean)} channels; "
            f"{dataset.name!r} has {dataset.channels}.",
            field="init.file" if by_name else "init.pretrained",
            hint=f"Choose another data set, or its images in another colour.{other}",
        )
    given = spec.normalize
    if isinstance(given, Normalize) and len(given.mean) != dataset.channels:
        raise InvalidInput(
            f"Normalisation has {len(given.mean)} means; {dataset.name!r} has images of "
            f"{dataset.channels} channel{'s' * (dataset.channels > 1)}.",
            field="normalize",
            hint="Give one mean and one deviation for each channel, or 'images' for those of the "
            "training images.",
        )


def _check_recipe(spec: RunSpec) -> None:
    if not spec.trains and spec.init is None:
        raise InvalidInput(
            "Epochs were 0, which looks at given weights, and none are given.",
            field="epochs",
            hint="Give the weights to start from (init: a file, published weights or a run), "
            "or train for 1 epoch or more.",
        )
    if spec.warmup_epochs and spec.warmup_epochs >= spec.epochs:
        raise InvalidInput(
            f"Warm-up was {spec.warmup_epochs} epochs; it must be shorter than the "
            f"{spec.epochs} of the training.",
            field="warmup_epochs",
            hint="Up to a tenth of the epochs is common; 0 is the default.",
        )
    if spec.batch_size % spec.processes or spec.batch_size < 2 * spec.processes:
        raise InvalidInput(
            f"Batch size {spec.batch_size} cannot be shared by {spec.processes} processes; it "
            "must be a multiple of their number, with two images for each at least.",
            field="batch_size",
            hint=f"{max(2, round(spec.batch_size / spec.processes)) * spec.processes} fits.",
        )


def _check_sizes(dataset: DatasetInfo, spec: RunSpec) -> None:
    n_val = round(dataset.n_train * spec.val_fraction)
    if n_val < dataset.classes:
        raise InvalidInput(
            f"Validation fraction {spec.val_fraction:g} leaves {n_val} of {dataset.n_train} "
            f"images for {dataset.classes} classes; at least one per class is needed.",
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
