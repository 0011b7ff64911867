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
from worker.datasets.base import Augmentation, Images, Part, Pixels, Progress
from worker.datasets.split import stratified_split
from worker.engine.batches import Normalisation, PixelSplit, Split
from worker.engine.settings import WorkerSettings
from worker.methods.base import Method

TEST_FRACTION = 0.1
"""Share of the training images that are held out where a data set has no test images."""


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
        return self.train.shape


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
    dataset = registry.datasets()[spec.dataset]
    images = dataset.load(settings.roots, spec.dataset_params, progress)
    train = _split(images.train)
    test, val = (_split(part) if part else None for part in (images.test, images.val))
    if test is None:
        train, test = _split_off(train, TEST_FRACTION, spec.seed)
    if val is None:
        train, val = _split_off(train, spec.val_fraction, spec.seed)
    return Data(
        train=train,
        validation=val,
        test=test,
        normalise=Normalisation.of(images),
        augment=images.augment,
        classes=_names(images),
    )


def _split(part: Part) -> Split:
    assert isinstance(part, Pixels)
    return PixelSplit(part.x_NCHW, part.y_N)


def _split_off(split: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """What remains and a stratified part of a split."""
    rest, part = stratified_split(split.y_N, fraction, seed)
    return split.pick(rest), split.pick(part)


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
