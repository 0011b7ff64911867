"""Small networks with the joints that the catalog's networks do not have."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn


class Depthwise(nn.Module):
    """Convolution, depthwise convolution, pointwise convolution, flattened without pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(8)
        self.deep = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
        self.deep_bn = nn.BatchNorm2d(8)
        self.point = nn.Conv2d(8, 10, 1)
        self.point_bn = nn.BatchNorm2d(10)
        self.linear = nn.Linear(10 * 16, 5)

    norms: ClassVar[dict[str, str]] = {"conv": "bn", "point": "point_bn"}

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        wide = torch.relu(self.bn(self.conv(images)))
        deep = torch.relu(self.deep_bn(self.deep(wide)))
        return self.linear(torch.relu(self.point_bn(self.point(deep))).flatten(1))


class Joined(nn.Module):
    """Two branches that are added, concatenated, or read by a grouped convolution."""

    def __init__(self, joint: str) -> None:
        super().__init__()
        self.joint = joint
        self.left, self.left_bn = nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8)
        self.right, self.right_bn = nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8)
        width = 16 if joint == "concatenated" else 8
        groups = 2 if joint == "grouped" else 1
        self.out = nn.Conv2d(width, 6, 1, groups=groups)
        self.norm = nn.GroupNorm(2, 6) if joint == "counted" else nn.Identity()
        self.scale = nn.Parameter(torch.ones(1, 8, 1, 1)) if joint == "bare" else None
        self.linear = nn.Linear(6, 5)

    norms: ClassVar[dict[str, str]] = {"left": "left_bn", "right": "right_bn"}

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        left = torch.relu(self.left_bn(self.left(images)))
        right = torch.relu(self.right_bn(self.right(images)))
        if self.scale is not None:
            left = left * self.scale
        both = torch.cat([left, right], 1) if self.joint == "concatenated" else left + right
        return self.linear(self.norm(self.out(both)).mean((2, 3)))
