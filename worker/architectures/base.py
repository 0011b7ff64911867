"""What a network family offers: a configuration, the network, its cut and its own source."""

from __future__ import annotations

import inspect
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from backend.contract.catalog import ArchitectureInfo
from backend.contract.errors import InvalidInput
from backend.contract.network import MIN_CHANNELS
from backend.contract.params import ParamSpec, ParamValue, check_params

Config = dict[str, Any]
"""What decides a network, all of it JSON; of our own classes the constructor's arguments."""

SOURCE_TEMPLATE = '''"""{title}

It needs PyTorch alone. The weights are the safetensors file that was downloaded with it:

    from safetensors.torch import load_file

    network = build()
    network.load_state_dict(load_file("<that file>.safetensors"))
    network.eval()
"""

import torch
from torch import nn


{classes}

def build() -> {network}:
    """The network, with untrained weights."""
    return {network}(
{arguments}
    )
'''


@dataclass(frozen=True)
class Architecture(ABC):
    """One network that can be trained, cut and handed out as plain PyTorch."""

    info: ArchitectureInfo

    @property
    def name(self) -> str:
        """Its name in the catalog."""
        return self.info.name

    def config(
        self, in_channels: int, classes: int, image_size: int, params: Mapping[str, Any]
    ) -> Config:
        """What decides the dense network, all of it JSON.

        Raises:
            InvalidInput: the image size or a parameter is out of bounds, or the network cannot
                be had or pruned.
            UnknownName: a parameter that this architecture does not have.
        """
        low, high = self.info.min_image, self.info.max_image
        if not low <= image_size <= high:
            raise InvalidInput(
                f"{self.info.name!r} takes images of {low} to {high} pixels, not {image_size}.",
                field="architecture",
            )
        checked = check_params(self.info.params, params, "architecture_params")
        return self.dense_config(in_channels, classes, image_size, checked)

    @abstractmethod
    def dense_config(
        self, in_channels: int, classes: int, image_size: int, params: Mapping[str, ParamValue]
    ) -> Config:
        """The configuration from checked parameters."""

    @abstractmethod
    def norms(self, config: Config) -> dict[str, str]:
        """Prunable convolution → the last batch norm that its channels pass, in network order."""

    @abstractmethod
    def cut_config(self, config: Config, kept: Mapping[str, int]) -> Config:
        """The configuration with `kept` channels (or units) in each prunable layer."""

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
    but `torch` and `nn`, for their source text is given to people.
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
