"""Networks of third-party code, unchanged: what can be pruned is found by tracing."""

from __future__ import annotations

import inspect
import json
import textwrap
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import torch
from torch import nn

from recede.contract.errors import InvalidInput
from recede.contract.network.reach import Reach
from recede.contract.spec.params import ParamValue
from recede_worker.core.cutting.discover import (
    FIELD,
    Prunable,
    chosen,
)
from recede_worker.core.graph.coupling import couplings
from recede_worker.core.graph.layers import (
    is_norm,
    kind_of,
    remember_kind,
)
from recede_worker.core.graph.trace import trace
from recede_worker.core.norms.scaling import Norm, from_json
from recede_worker.networks.family import Architecture, Config
from recede_worker.networks.tracing import findings, refusal
from recede_worker.source.write import (
    first_line,
    loading_part,
    plain_source,
)

SOURCE_TEMPLATE = '''"""{title}

{needs}
{reason}
Layers that were cut are narrowed afterwards. The torch.export program of the same
download needs PyTorch alone. The weights are the safetensors file that was downloaded with it:

    network = load("model.safetensors")

`build()` is the same network with weights still to be loaded.
"""

import json
from pathlib import Path

import torch
{imports}
from torch import nn

# Layers with other channels than the original: how many they read and how many they make.
WIDTHS: dict[str, tuple[int, int]] = {{{widths}}}


{narrow}

def build() -> nn.Module:
    """The network; its weights are to be loaded."""
    network = {call}
    for name, (width_in, width_out) in WIDTHS.items():
        narrow(network.get_submodule(name), width_in, width_out)
    return network


{loading}'''


def narrow(layer: nn.Module, width_in: int, width_out: int) -> None:
    """Give a layer other numbers of channels, all zero; groups of channels keep their size."""
    shapes: dict[str, tuple[int, ...]] = {"weight": (width_out,), "bias": (width_out,)}
    if isinstance(layer, nn.BatchNorm2d):
        layer.num_features = width_out
        shapes |= {"running_mean": (width_out,), "running_var": (width_out,)}
    elif isinstance(layer, nn.Linear):
        layer.in_features, layer.out_features = width_in, width_out
        shapes["weight"] = (width_out, width_in)
    elif isinstance(layer, nn.Conv2d):
        if layer.groups > 1:
            layer.groups = layer.groups * width_out // layer.out_channels
        layer.in_channels, layer.out_channels = width_in, width_out
        shapes["weight"] = (width_out, width_in // layer.groups, *layer.kernel_size)
    for name, shape in shapes.items():
        old = getattr(layer, name, None)
        if isinstance(old, nn.Parameter):
            setattr(layer, name, nn.Parameter(torch.zeros(shape)))
        elif old is not None:
            setattr(layer, name, torch.zeros(shape))


@dataclass(frozen=True)
class TracedArchitecture(Architecture):
    """A network that some code outside of this project builds.

    The configuration holds `in_channels`, `classes`, `image_size` and `params` to build it with,
    the `norms` that tracing found (in `joined` those that the scope leaves whole), and in
    `widths` the layers that differ from the original (name → channels in and out).
    """

    is_known: ClassVar[bool] = False
    """Whether our own tests cut this network; any other is traced in a sandbox."""
    is_sketched: ClassVar[bool] = False
    """Whether it may be too large to be built just to be refused."""

    @abstractmethod
    def original(self, config: Config) -> nn.Module:
        """The untrained network as its own code makes it, for `in_channels` or for 3."""

    def sketch(self, config: Config) -> nn.Module | None:
        """The same without memory, if that is possible: enough to refuse an unusable network."""
        if not self.is_sketched:
            return None
        try:
            with torch.device("meta"):
                return self.original(config)
        except (NotImplementedError, RuntimeError):  # some networks cannot be built on it
            return None

    @abstractmethod
    def origin(self, config: Config) -> Origin:
        """How a downloaded module builds the original."""

    def dense_config(
        self, in_channels: int, classes: int, image_size: int, params: Mapping[str, ParamValue]
    ) -> Config:
        """Builds and traces the network, once in a process; all groups are prunable in it."""
        config: Config = {
            "in_channels": in_channels,
            "classes": classes,
            "image_size": image_size,
            "params": dict(params),
        }
        known = findings(self, config)
        return {**config, "widths": known.widths, "norms": known.found.norms, "joined": {}}

    def reaching(self, config: Config, prunable: Prunable) -> Config:
        """Groups of several norms are for the scope "all" alone."""
        try:
            norms = chosen(findings(self, config).found, prunable)
        except InvalidInput as error:
            raise refusal(self, config, error) from error
        joined = {conv: norm for conv, norm in config["norms"].items() if conv not in norms}
        found: Config = json.loads(json.dumps({**config, "norms": norms, "joined": joined}))
        return found

    def reach(
        self, in_channels: int, classes: int, image_size: int, params: Mapping[str, Any]
    ) -> Reach:
        """What tracing found."""
        config = self.config(in_channels, classes, image_size, params, "all")
        return findings(self, config).found.reach

    def left_out(self, config: Config) -> dict[str, str]:
        """What tracing could not take, and why."""
        return dict(findings(self, config).found.left_out)

    def norms(self, config: Config) -> dict[str, Norm]:
        """What tracing found."""
        return from_json(config["norms"])

    def cut_config(self, config: Config, kept: Mapping[str, int]) -> Config:
        """Widths of all layers that hold channels of a group; the network is traced for it."""
        now, reached = _layout(self, json.dumps(config))
        widths = dict(config["widths"])
        for conv, units in kept.items():
            for name, in_per_unit, out_per_unit in reached[conv]:
                width_in, width_out = widths.get(name, now[name])
                widths[name] = [
                    in_per_unit * units if in_per_unit else width_in,
                    out_per_unit * units if out_per_unit else width_out,
                ]
        return {**config, "widths": widths}

    def build(self, config: Config) -> nn.Module:
        """The original with the layers of `widths` narrowed."""
        network = self.original(config)
        self.widen(network, config["widths"])
        return network

    def source(self, config: Config) -> str:
        """A module that needs torch alone; one that imports the original if none can be written.

        It is proved to compute what the network computes, once in a process.
        """
        return _source(self, json.dumps(config))

    def imported_source(self, config: Config, reason: str) -> str:
        """A module that imports what builds the original, and narrows its layers."""
        origin = self.origin(config)
        widths = "".join(
            f'\n    "{name}": ({width_in}, {width_out}),'
            for name, (width_in, width_out) in config["widths"].items()
        )
        return SOURCE_TEMPLATE.format(
            title=f"{self.info.label}: a network trained and cut with Recede.",
            needs=textwrap.fill(f"It builds {origin.needs}.", 95),
            reason=textwrap.fill(f"It could not be written with torch alone: {reason}.", 95),
            imports=origin.imports,
            widths=f"{widths}\n" if widths else "",
            narrow=inspect.getsource(narrow),
            call=origin.call,
            loading=loading_part(),
        )

    def label_of(self, config: Config) -> str:
        """The network's name in messages, with its model where one is chosen."""
        model = config["params"].get("model")
        return f"{model} ({self.info.label})" if model else self.info.label

    def stamp(self) -> str:
        """What identifies its code, beside its name and the libraries' versions."""
        return ""

    def widen(self, network: nn.Module, widths: Mapping[str, Sequence[int]]) -> None:
        """Give the named layers so many channels in and out."""
        for name, (width_in, width_out) in widths.items():
            layer = network.get_submodule(name)
            kind = kind_of(layer)
            narrow(layer, width_in, width_out)
            remember_kind(layer, kind)

    def built_original(self, config: Config) -> nn.Module:
        """The original; raises InvalidInput if it cannot be built."""
        try:
            network: object = self.original(config)
        except Exception as error:  # third-party code may raise anything
            raise InvalidInput(
                f"{self.label_of(config)} could not be built for {config['in_channels']} "
                f"channels, {config['classes']} classes and images of {config['image_size']} "
                f"pixels: {type(error).__name__}: {error}",
                field=FIELD,
                hint="Choose another network or image size; if it is your own, fix its code.",
            ) from error
        if not isinstance(network, nn.Module):
            raise InvalidInput(
                f"{self.label_of(config)} was built as {type(network).__name__}; a "
                "torch.nn.Module is needed.",
                field=FIELD,
            )
        return network


@dataclass(frozen=True)
class Origin:
    """How the original is built outside of this project."""

    needs: str
    """The network and where it comes from, as a phrase."""
    imports: str
    call: str


Reached = dict[str, list[tuple[str, int, int]]]


@lru_cache(maxsize=32)
def _source(architecture: TracedArchitecture, given: str) -> str:
    config: Config = json.loads(given)
    shape = (config["in_channels"], config["image_size"], config["image_size"])
    name = " of ".join(dict.fromkeys([*map(str, config["params"].values()), architecture.name]))
    title = f"{name}: a network trained and cut with Recede."
    with torch.random.fork_rng(devices=[]):  # a training goes on with the numbers it had
        try:
            return plain_source(architecture.build(config), shape, title).text
        except Exception as error:  # noqa: BLE001 - third-party code, and torch's tracer
            return architecture.imported_source(config, first_line(error))


@lru_cache(maxsize=32)
def _layout(
    architecture: TracedArchitecture, given: str
) -> tuple[dict[str, tuple[int, int]], Reached]:
    """Channels in and out of each layer, and for each prunable convolution what goes with it.

    Of each layer that goes with it: how many of the channels that it reads and makes belong to
    one unit, 0 where they stay.
    """
    config: Config = json.loads(given)
    network = architecture.build(config)
    size = config["image_size"]
    traced = trace(network, (config["in_channels"], size, size))
    norms = from_json({**config["norms"], **config["joined"]})
    found = couplings(traced, network, norms)
    now = {
        name: _widths(layer)
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.BatchNorm2d)
    }
    reached: Reached = {}
    for conv, channels in zip(norms, found, strict=True):
        reached[conv] = layers = []
        for coupling in channels.couplings:
            layer = network.get_submodule(coupling.name)
            width_in, width_out = (width // channels.size for width in now[coupling.name])
            is_whole = bool(kind_of(layer)) or is_norm(layer)
            reads = coupling.side == "in" or is_whole
            makes = coupling.side == "out"
            layers.append((coupling.name, reads * width_in, makes * width_out))
    return now, reached


def _widths(layer: nn.Module) -> tuple[int, int]:
    if isinstance(layer, nn.BatchNorm2d):
        return layer.num_features, layer.num_features
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    assert isinstance(layer, nn.Conv2d)
    return layer.in_channels, layer.out_channels
