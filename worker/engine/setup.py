"""From a RunSpec to what a job works on: images in three splits, a network and its shape."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import version

import torch
from torch import nn

from backend.contract.network import NetworkShape
from backend.contract.specs import RunSpec
from worker import registry
from worker.architectures.base import Architecture, Config
from worker.core.bounded_norm import bound
from worker.core.channels import network_shape
from worker.core.initialise import freeze_redundant_biases, initialise
from worker.datasets.base import Augmentation, Images, Progress
from worker.datasets.split import stratified_split
from worker.engine.batches import Normalisation, Split
from worker.engine.settings import WorkerSettings
from worker.methods.base import Method


@dataclass(frozen=True)
class Data:
    """One data set in three splits: train, validation (for choices), test (for the record)."""

    train: Split
    validation: Split
    test: Split
    normalise: Normalisation
    augment: Augmentation
    classes: tuple[str, ...]

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        _, channels, height, width = self.train.x_NCHW.shape
        return channels, height, width


@dataclass(frozen=True)
class Network:
    """A network as trained, with what is needed to snapshot, cut and rebuild it."""

    model: nn.Module
    shape: NetworkShape
    norms: dict[str, str]
    config: Config
    architecture: Architecture


def load_data(spec: RunSpec, settings: WorkerSettings, progress: Progress) -> Data:
    """Read (or first fetch) the data set and split it; raises UnreadableData."""
    images = registry.datasets()[spec.dataset].load(settings.roots, progress)
    train_index, val_index = stratified_split(images.train_y, spec.val_fraction, spec.seed)
    return Data(
        train=Split(images.train_x[train_index], images.train_y[train_index]),
        validation=Split(images.train_x[val_index], images.train_y[val_index]),
        test=Split(images.test_x, images.test_y),
        normalise=Normalisation.of(images),
        augment=images.augment,
        classes=_names(images),
    )


def _names(images: Images) -> tuple[str, ...]:
    return tuple(str(name) for name in images.classes)


def build_network(spec: RunSpec, data: Data) -> Network:
    """The untrained network of a spec, initialised from its seed, on the CPU."""
    architecture = registry.architectures()[spec.architecture]
    scale = method_of(spec).info.scale
    channels, height, _ = data.input_shape
    classes = len(data.classes)
    config = architecture.config(channels, classes, height, spec.architecture_params)
    norms = architecture.norms(config)
    model = architecture.build(config)
    if scale == "bounded":
        bound(model, list(norms.values()))
    initialise(model, torch.Generator().manual_seed(spec.seed))
    freeze_redundant_biases(model, norms)
    shape = network_shape(
        model,
        architecture=spec.architecture,
        norms=norms,
        input_shape=data.input_shape,
        classes=classes,
        scale=scale,
    )
    return Network(model, shape, norms, config, architecture)


def method_of(spec: RunSpec) -> Method:
    """The method plug-in of a spec."""
    return registry.methods()[spec.method]


def versions() -> dict[str, str]:
    """Versions of what decides the numbers."""
    packages = ("recede", "torch", "torchvision", "torch-pruning", "numpy")
    found = {name: version(name) for name in packages}
    return {"python": platform.python_version(), **found}
