"""What a network family offers: a configuration, the network, its cut and its own source."""

from __future__ import annotations

import inspect
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, get_args

from torch import Tensor, nn

from recede.contract.errors import InvalidInput, UnknownName
from recede.contract.network.reach import Reach, Share, share_of
from recede.contract.network.shape import MIN_CHANNELS
from recede.contract.spec.catalog import ArchitectureInfo
from recede.contract.spec.params import (
    ParamSpec,
    ParamValue,
    check_params,
)
from recede.contract.spec.published import FIELD
from recede_worker.core.cutting.discover import Prunable
from recede_worker.core.graph.channels import network_shape
from recede_worker.core.norms.scaling import Norm
from recede_worker.networks.published import Published
from recede_worker.source.write import loading_part

Config = dict[str, Any]
"""What decides a network, all of it JSON; of our own classes the constructor's arguments."""

SOURCE_TEMPLATE = '''"""{title}

It needs PyTorch alone, no other package. The weights are the safetensors file that was
downloaded with it:

    network = load("model.safetensors")

`build()` is the same network with untrained weights.
"""

import json
from pathlib import Path

import torch
from torch import nn


{classes}

def build() -> {network}:
    """The network, with untrained weights."""
    return {network}(
{arguments}
    )


{loading}'''


@dataclass(frozen=True)
class Architecture(ABC):
    """One network that can be trained, cut and handed out as plain PyTorch."""

    info: ArchitectureInfo
    demo: Mapping[str, Any] = field(default_factory=dict, kw_only=True, hash=False, compare=False)
    """Parameters in the demo run; empty for an architecture that is not in it."""

    @property
    def name(self) -> str:
        """Its name in the catalog."""
        return self.info.name

    def config(
        self,
        in_channels: int,
        classes: int,
        image_size: int,
        params: Mapping[str, Any],
        prunable: Prunable = "inner",
    ) -> Config:
        """What decides the dense network, all of it JSON.

        `prunable` "all" adds the channels that shortcuts join, where they can shrink together.

        Raises:
            InvalidInput: the image size or a parameter is out of bounds, or the network cannot
                be built or pruned.
            UnknownName: a parameter that this architecture does not have.
        """
        low, high = self.info.min_image, self.info.max_image
        if not low <= image_size <= high:
            raise InvalidInput(
                f"{self.info.name!r} takes images of {low} to {high} pixels, not {image_size}.",
                field="architecture",
            )
        checked = check_params(self.info.params, params, "architecture_params")
        return self.reaching(
            self.dense_config(in_channels, classes, image_size, checked), prunable
        )

    def reaching(self, config: Config, prunable: Prunable) -> Config:  # noqa: ARG002 - subclasses
        """The same network with the groups of that scope; here both scopes have the same."""
        return config

    def reach(
        self, in_channels: int, classes: int, image_size: int, params: Mapping[str, Any]
    ) -> Reach:
        """How much of the dense network can go, in both scopes; raises what `config` does."""
        shares = {
            scope: self._share(
                self.config(in_channels, classes, image_size, params, scope),
                (in_channels, image_size, image_size),
                classes,
            )
            for scope in get_args(Prunable)
        }
        return Reach(**shares)

    def _share(self, config: Config, input_shape: tuple[int, int, int], classes: int) -> Share:
        shape = network_shape(
            self.build(config),
            architecture=self.name,
            norms=self.norms(config),
            input_shape=input_shape,
            classes=classes,
            scale="plain",
        )
        return share_of(shape)

    def left_out(self, config: Config) -> dict[str, str]:  # noqa: ARG002 - for subclasses
        """Convolutions whose channels cannot be cut, and why, as far as it was looked for."""
        return {}

    def published(self, config: Config, tag: str) -> Published:  # noqa: ARG002 - for subclasses
        """Where weights of that tag lie; raises UnknownName for one that there is not."""
        raise UnknownName("published weights", tag, (), field=FIELD)

    def adapted(
        self,
        config: Config,  # noqa: ARG002 - for subclasses
        tag: str,  # noqa: ARG002
        path: Path,  # noqa: ARG002
        weights: Mapping[str, Tensor],
    ) -> Mapping[str, Tensor]:
        """The published weights, which lie at `path`, by the names of the network's entries."""
        return weights

    @abstractmethod
    def dense_config(
        self, in_channels: int, classes: int, image_size: int, params: Mapping[str, ParamValue]
    ) -> Config:
        """The configuration from checked parameters."""

    @abstractmethod
    def norms(self, config: Config) -> Mapping[str, Norm]:
        """Prunable convolution → the last batch norm that its channels pass, in network order.

        For channels that sums join: the first of the convolutions → the norms of all.
        """

    @abstractmethod
    def cut_config(self, config: Config, kept: Mapping[str, int]) -> Config:
        """The configuration with `kept` channels (or units) in each layer that is named."""

    @abstractmethod
    def build(self, config: Config) -> nn.Module:
        """The network with ordinary batch norm, its weights still to be drawn or loaded."""

    @abstractmethod
    def source(self, config: Config) -> str:
        """A Python module whose `build()` gives the network of this configuration."""


@dataclass(frozen=True)
class PlainArchitecture(Architecture):
    """A network whose class is ours; the configuration holds its constructor's arguments.

    The class `network` and its `parts` are plain: ordinary batch norm, no name from outside
    but `torch` and `nn`, for their source text becomes the downloaded module.
    """

    network: ClassVar[type[nn.Module]]
    parts: ClassVar[tuple[type[nn.Module], ...]] = ()
    """Further classes that `network` uses, in the order of definition."""

    def build(self, config: Config) -> nn.Module:
        """The network with torch's default weights."""
        return self.network(**config)

    def source(self, config: Config) -> str:
        """A module that needs torch alone: the classes and `build()`."""
        classes = [textwrap.dedent(inspect.getsource(c)) for c in (*self.parts, self.network)]
        arguments = "\n".join(_argument(name, value) for name, value in config.items())
        return SOURCE_TEMPLATE.format(
            title=f"{self.info.label}: a network trained and cut with Recede.",
            classes="\n\n".join(classes),
            network=self.network.__name__,
            arguments=arguments,
            loading=loading_part(),
        )


def scaled(channels: int, width: float) -> int:
    """Channels of a layer in a network of another width, never below the least that is kept."""
    return max(MIN_CHANNELS, round(channels * width))


def width_param(narrowest: int, minimum: float) -> ParamSpec:
    """The width multiplier of a family whose narrowest layer has `narrowest` channels."""
    return ParamSpec(
        name="width",
        kind="float",
        default=1.0,
        label="Width",
        help="Multiplies the channels of every layer: 0.5 has half as many channels and about "
        "a quarter of the cost. 1 is the published network.",
        minimum=minimum,
        maximum=4.0,
        bound_reason=f"the narrowest layer, {narrowest} channels at width 1, must keep "
        f"{MIN_CHANNELS}; above 4 the network costs more than 16 times as much",
    )


def _argument(name: str, value: Any) -> str:
    if isinstance(value, list) and value and all(isinstance(part, list) for part in value):
        rows = [_wrapped(f"{part!r},", " " * 12) for part in value]
        return "\n".join([f"        {name}=[", *rows, "        ],"])
    return _wrapped(f"{name}={value!r},", " " * 8)


def _wrapped(text: str, indent: str) -> str:
    return textwrap.fill(text, 88, initial_indent=indent, subsequent_indent=f"{indent}    ")
