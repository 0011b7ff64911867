"""ResNet for small images: three stages of basic blocks with shortcuts free of parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from recede.contract.spec.catalog import ArchitectureInfo
from recede.contract.spec.params import ParamValue
from recede_worker.networks.family import (
    Architecture,
    Config,
    PlainArchitecture,
    scaled,
    width_param,
)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions around `inner` channels, added to the block's input.

    Where the block is wider than its input, the shortcut takes every second pixel and fills
    the missing channels with zeros.
    """

    def __init__(self, width: int, inner: int, out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.missing = out - width
        self.conv1 = nn.Conv2d(width, inner, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Feature maps (N, out, H / stride, W / stride)."""
        shortcut = images
        if self.stride > 1:
            shortcut = shortcut[:, :, :: self.stride, :: self.stride]
        if self.missing:
            front = self.missing // 2
            shortcut = nn.functional.pad(shortcut, (0, 0, 0, 0, front, self.missing - front))
        inner = self.relu(self.bn1(self.conv1(images)))
        out: torch.Tensor = self.relu(self.bn2(self.conv2(inner)) + shortcut)
        return out


class ResNet(nn.Module):
    """Stages of basic blocks; each stage after the first halves the image.

    `streams` is the width of the residual stream in each stage, `inner` the inner width of
    each block of each stage.
    """

    def __init__(
        self, streams: list[int], inner: list[list[int]], in_channels: int, classes: int
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, streams[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(streams[0])
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = self._stage(streams[0], streams[0], inner[0], stride=1)
        self.layer2 = self._stage(streams[0], streams[1], inner[1], stride=2)
        self.layer3 = self._stage(streams[1], streams[2], inner[2], stride=2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(streams[2], classes)

    def _stage(self, width: int, out: int, inner: list[int], stride: int) -> nn.Sequential:
        first = BasicBlock(width, inner[0], out, stride)
        return nn.Sequential(first, *[BasicBlock(out, i, out, stride=1) for i in inner[1:]])

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Class scores (N, classes) of images (N, C, H, W)."""
        stem = self.relu(self.bn1(self.conv1(images)))
        features = self.pool(self.layer3(self.layer2(self.layer1(stem)))).flatten(1)
        scores: torch.Tensor = self.classifier(features)
        return scores


# The published networks for 32×32 images (He et al., arXiv 1512.03385, section 4.2).
STREAMS = (16, 32, 64)
LAYERS = (20, 32, 44, 56, 110)  # 6·n + 2 for n blocks a stage
MIN_WIDTH = 0.1875  # 16 channels become 3


@dataclass(frozen=True)
class ResNetFamily(PlainArchitecture):
    """ResNet of one depth; the inner channels of each block can be cut.

    The residual stream keeps its width: its channels are joined by the identity shortcuts.
    """

    blocks: int
    """Blocks in each of the three stages."""
    network = ResNet
    parts = (BasicBlock,)

    def dense_config(
        self,
        in_channels: int,
        classes: int,
        image_size: int,  # noqa: ARG002 - a global average fits any size
        params: Mapping[str, ParamValue],
    ) -> Config:
        """Inner widths equal to the stream's."""
        streams = [scaled(channels, float(params["width"])) for channels in STREAMS]
        return {
            "streams": streams,
            "inner": [[width] * self.blocks for width in streams],
            "in_channels": in_channels,
            "classes": classes,
        }

    def norms(self, config: Config) -> dict[str, str]:
        """conv1 → bn1 of every block."""
        blocks = [name for stage in _names(config) for name in stage]
        return {f"{name}.conv1": f"{name}.bn1" for name in blocks}

    def cut_config(self, config: Config, kept: Mapping[str, int]) -> Config:
        """The same streams with other inner widths."""
        inner = [[kept[f"{name}.conv1"] for name in stage] for stage in _names(config)]
        return {**config, "inner": inner}


def _names(config: Config) -> list[list[str]]:
    """Names of all blocks, stage by stage."""
    return [
        [f"layer{stage}.{block}" for block in range(len(inner))]
        for stage, inner in enumerate(config["inner"], start=1)
    ]


def _family(layers: int) -> ResNetFamily:
    blocks = (layers - 2) // 6
    info = ArchitectureInfo(
        name=f"resnet{layers}",
        label=f"ResNet-{layers}",
        help=f"{3 * blocks} residual blocks in three stages. The inner channels of each block "
        "can be cut; the residual stream keeps its width.",
        params=(width_param(STREAMS[0], MIN_WIDTH),),
        min_image=8,
        max_image=64,
    )
    return ResNetFamily(info, blocks)


PLUGINS: tuple[Architecture, ...] = tuple(_family(layers) for layers in LAYERS)
