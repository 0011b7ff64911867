"""VGG for small images: torchvision's vggXX_bn without the last pooling, one linear layer."""

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


class VGG(nn.Module):
    """A chain of 3×3 convolutions, each with batch norm and ReLU; "M" halves the image.

    `layout` lists the width of each convolution and "M" for each max-pooling.
    """

    def __init__(self, layout: list[int | str], in_channels: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = in_channels
        for entry in layout:
            if entry == "M":
                layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
                continue
            layers.append(nn.Conv2d(width, int(entry), kernel_size=3, padding=1))
            width = int(entry)
            layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(width, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Class scores (N, classes) of images (N, C, H, W)."""
        features = self.pool(self.features(images)).flatten(1)
        scores: torch.Tensor = self.classifier(features)
        return scores


# Widths of the published networks (Simonyan and Zisserman, arXiv 1409.1556, A, B, D and E).
STAGES = (64, 128, 256, 512, 512)
DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
MIN_WIDTH = 0.05  # 64 channels become 3


@dataclass(frozen=True)
class VGGFamily(PlainArchitecture):
    """VGG of one depth; the output channels of every convolution can be cut."""

    depths: tuple[int, ...]
    """Convolutions in each of the five stages."""
    network = VGG

    def dense_config(
        self,
        in_channels: int,
        classes: int,
        image_size: int,  # noqa: ARG002 - a global average fits any size
        params: Mapping[str, ParamValue],
    ) -> Config:
        """Scaled widths with a max-pooling between stages."""
        layout: list[int | str] = []
        for channels, depth in zip(STAGES, self.depths, strict=True):
            layout += [scaled(channels, float(params["width"]))] * depth + ["M"]
        return {"layout": layout[:-1], "in_channels": in_channels, "classes": classes}

    def norms(self, config: Config) -> dict[str, str]:
        """features.i → features.(i + 1): each convolution is followed by its batch norm."""
        return {f"features.{i}": f"features.{i + 1}" for i in _positions(config["layout"])}

    def cut_config(self, config: Config, kept: Mapping[str, int]) -> Config:
        """The same layout with other widths."""
        widths = iter([kept[f"features.{i}"] for i in _positions(config["layout"])])
        layout = [entry if entry == "M" else next(widths) for entry in config["layout"]]
        return {**config, "layout": layout}


def _positions(layout: list[int | str]) -> list[int]:
    """Index of each convolution in the chain: pooling takes one place, the others three."""
    positions, place = [], 0
    for entry in layout:
        if entry != "M":
            positions.append(place)
        place += 1 if entry == "M" else 3
    return positions


def _family(depth: int) -> VGGFamily:
    info = ArchitectureInfo(
        name=f"vgg{depth}",
        label=f"VGG-{depth}",
        help=f"{sum(DEPTHS[depth])} plain convolutions with batch norm, then one linear layer. "
        "Every convolution can be cut, so it shows most of what pruning can do.",
        params=(width_param(STAGES[0], MIN_WIDTH),),
        min_image=16,
        max_image=64,
    )
    return VGGFamily(info, DEPTHS[depth], demo={"width": 0.25} if depth == min(DEPTHS) else {})


PLUGINS: tuple[Architecture, ...] = tuple(_family(depth) for depth in DEPTHS)
