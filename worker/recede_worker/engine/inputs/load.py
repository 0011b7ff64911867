"""From a RunSpec to what a job works on: images in three splits, a network and its shape."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn

from recede.contract.errors import InvalidInput
from recede.contract.network.pixels import Normalize
from recede.contract.network.reach import share_of
from recede.contract.network.shape import NetworkShape
from recede.contract.spec.run import RunSpec
from recede.contract.spec.scaling import scaling_of
from recede_worker.core.cutting.discover import some_of
from recede_worker.core.graph.channels import network_shape
from recede_worker.core.graph.trace import Trace, trace
from recede_worker.core.norms.bounded import bound
from recede_worker.core.norms.gated import gate
from recede_worker.core.norms.initialise import freeze_redundant_biases, initialise
from recede_worker.core.norms.scaling import Norm, all_names, from_json
from recede_worker.engine.inputs.file_split import FileSplit
from recede_worker.engine.inputs.splits import (
    Normalisation,
    PixelSplit,
    Split,
)
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.images.dataset import (
    Augmentation,
    Images,
    Part,
    Pixels,
    Progress,
)
from recede_worker.images.split import stratified_split
from recede_worker.methods.base import Method
from recede_worker.networks.family import Architecture, Config
from recede_worker.plugins import registry

TEST_FRACTION = 0.1
"""Share of the training images that are held out where a data set has no test images."""
MOST_TRACES = 4
"""Traces that a process keeps: a job asks several times for the same network, and for a cut."""
_traces: dict[tuple[Architecture, str, tuple[int, int, int]], Trace] = {}


@dataclass(frozen=True)
class Data:
    """One data set in three splits: train, validation (for choices), test (for the record)."""

    train: Split
    validation: Split
    test: Split
    normalise: Normalisation
    augment: Augmentation
    classes: tuple[str, ...]
    seeded: bool
    """Whether validation or test images were drawn from the training images by the seed."""
    report: dict[str, Any] | None = None
    """What was found in the user's own files (JSON)."""

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        return self.train.shape


@dataclass(frozen=True)
class Network:
    """A network as trained, with what is needed to snapshot, cut and rebuild it."""

    model: nn.Module
    shape: NetworkShape
    norms: dict[str, Norm]
    """First convolution of each group → its norm, or all norms of a coupled group."""
    config: Config
    architecture: Architecture
    traced: Trace
    """Of the model, and of every other one that `architecture` builds from `config`."""
    start: dict[str, Any] = field(default_factory=dict)
    """Where its weights come from (JSON), empty if drawn; see engine/initial_weights."""


def load_data(spec: RunSpec, settings: WorkerSettings, progress: Progress) -> Data:
    """Read (or first fetch) the data set and split it.

    Raises:
        UnreadableData: files are missing, damaged or not what they should be.
        InvalidInput: the batch is larger than what there is to train on.
    """
    dataset = registry.datasets()[spec.dataset]
    images = dataset.load(settings.roots, spec.dataset_params, progress)
    parts = (images.train, images.test, images.val)
    train, test, val = (_split(part, settings.threads) for part in parts)
    assert train is not None
    seeded = test is None or val is None
    if test is None:
        train, test = _split_off(train, TEST_FRACTION, spec.seed)
    if val is None:
        train, val = _split_off(train, spec.val_fraction, spec.seed)
    _require_a_batch(spec, len(train))
    return Data(
        train=train,
        validation=val,
        test=test,
        normalise=_normalisation(spec, images),
        augment=images.augment,
        classes=_names(images),
        seeded=seeded,
        report=images.report,
    )


def _split(part: Part | None, threads: int) -> Split | None:
    if part is None:
        return None
    if isinstance(part, Pixels):
        return PixelSplit(part.x_NCHW, part.y_N)
    return FileSplit.of(part, threads)


def _normalisation(spec: RunSpec, images: Images) -> Normalisation:
    """The spec's own, else that of the training images."""
    if isinstance(spec.normalize, Normalize):
        return Normalisation(spec.normalize.mean, spec.normalize.std)
    return Normalisation.of(images)


def _require_a_batch(spec: RunSpec, n_train: int) -> None:
    """Bad files that were skipped can leave less than the catalog counted."""
    if spec.batch_size > n_train:
        raise InvalidInput(
            f"Batch size {spec.batch_size} is larger than the {n_train} images left for training.",
            field="batch_size",
            hint=f"Use at most {n_train}.",
        )


def _split_off(split: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """What remains and a stratified part of a split."""
    rest, part = stratified_split(split.y_N, fraction, seed)
    return split.pick(rest), split.pick(part)


def _names(images: Images) -> tuple[str, ...]:
    return tuple(str(name) for name in images.classes)


def build_network(spec: RunSpec, data: Data, own_networks: tuple[Path, ...] = ()) -> Network:
    """The untrained network of a spec, initialised from its seed, on the CPU."""
    return network_for(spec, data.input_shape, len(data.classes), own_networks=own_networks)


def network_for(
    spec: RunSpec,
    input_shape: tuple[int, int, int],
    classes: int,
    widths: Mapping[str, int] | None = None,
    *,
    own_networks: tuple[Path, ...] = (),
) -> Network:
    """The untrained network for such images; `widths` (layer → channels) are those of a cut.

    `own_networks` are the user's files of further architectures.
    """
    architecture = registry.architectures(own_networks)[spec.architecture]
    scaling = scaling_of(method_of(spec).info, spec)
    channels, height, _ = input_shape
    config = architecture.config(
        channels, classes, height, spec.architecture_params, spec.prunable
    )
    if widths is not None:
        config = architecture.cut_config(config, widths)
    norms = dict(architecture.norms(config))
    with torch.random.fork_rng(devices=[]):  # for what `initialise` does not draw anew
        torch.manual_seed(spec.seed)
        model = architecture.build(config)
    generator = torch.Generator().manual_seed(spec.seed)
    if scaling == "bounded":
        bound(model, all_names(norms.values()))
    elif scaling == "gate":
        gate(model, all_names(norms.values()), generator)
    initialise(model, generator)
    freeze_redundant_biases(model, [conv for conv in norms if isinstance(norms[conv], str)])
    traced = _traced(architecture, config, input_shape, model)
    shape = network_shape(
        model,
        architecture=spec.architecture,
        norms=norms,
        input_shape=input_shape,
        classes=classes,
        scale="plain" if scaling == "plain" else "bounded",
        traced=traced,
    )
    return Network(model, shape, norms, config, architecture, traced)


def _traced(
    architecture: Architecture,
    config: Config,
    input_shape: tuple[int, int, int],
    model: nn.Module,
) -> Trace:
    """The trace of a model that was built so; weights and scaling of its norms do not matter."""
    key = architecture, json.dumps(config, sort_keys=True), input_shape
    if key not in _traces:
        found = trace(model, input_shape)
        if len(_traces) >= MOST_TRACES:
            del _traces[next(iter(_traces))]
        _traces[key] = found
    return _traces[key]


def scope_sentence(spec: RunSpec, network: Network) -> str:
    """What of the network can be pruned, how much that is, what cannot and why, for the log."""
    groups = network.shape.groups
    coupled = [group for group in groups if group.members]
    left_out = network.architecture.left_out(network.config)
    text = f"{len(groups)} prunable layers"
    if coupled:
        joined = sum(len(group.members) for group in coupled)
        text += f", {len(coupled)} of them coupled: shortcuts join {joined} layers in them"
    elif spec.prunable == "all":
        text += "; no shortcut of this network can shrink, so all are the inner ones"
    text += f"; {_reach_sentence(network)}"
    if left_out:
        reasons = some_of([f"{name}: {reason}" for name, reason in left_out.items()])
        text += f"; left out: {reasons}"
    return text


def _reach_sentence(network: Network) -> str:
    """Which share lies in channels that can be cut, in both scopes where they differ."""
    joined = from_json(network.config.get("joined", {}))
    inner = {conv: norm for conv, norm in network.norms.items() if isinstance(norm, str)}
    text = f"{share_of(network.shape)} lie in channels that can be cut"
    if not joined and len(inner) == len(network.norms):
        return text
    other, norms = ("all", {**network.norms, **joined}) if joined else ("inner", inner)
    shape = network_shape(
        network.model,
        architecture=network.shape.architecture,
        norms=norms,
        input_shape=network.shape.input_shape,
        classes=network.shape.classes,
        scale=network.shape.scale,
        traced=network.traced,
    )
    return f"{text} (with the scope {other!r}: {share_of(shape)})"


def method_of(spec: RunSpec) -> Method:
    """The method plug-in of a spec."""
    return registry.methods()[spec.method]


def versions() -> dict[str, str]:
    """Versions of what decides the numbers."""
    packages = ("recede", "torch", "torchvision", "numpy")
    found = {name: version(name) for name in packages}
    return {"python": platform.python_version(), **found}
