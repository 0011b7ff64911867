"""torchvision's networks for large images, under its own names and with its own code."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torchvision import models

from backend.contract.catalog import ArchitectureInfo
from worker.architectures.base import Architecture, Config
from worker.architectures.traced import Origin, TracedArchitecture


@dataclass(frozen=True)
class TorchvisionNetwork(TracedArchitecture):
    """One network of torchvision.models, untrained."""

    is_known = True
    is_heavy: bool
    """Its weights take seconds to draw; as they are drawn or loaded anew, they are left zero."""

    def original(self, config: Config) -> nn.Module:
        """For 3 channels."""
        with torch.device("meta" if self.is_heavy else "cpu"):
            network: nn.Module = models.get_model(
                self.name, weights=None, num_classes=config["classes"]
            )
        if not self.is_heavy:
            return network
        network.to_empty(device="cpu")
        with torch.no_grad():
            for tensor in (*network.parameters(), *network.buffers()):
                tensor.zero_()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()
        return network

    def origin(self, config: Config) -> Origin:
        """torchvision's function of that name."""
        return Origin(
            needs=f"torchvision's {self.name}",
            imports="from torchvision import models",
            call=f"models.{self.name}(weights=None, num_classes={config['classes']})",
        )


MOBILE = (
    "Blocks that widen, filter each channel alone and narrow again; the wide channels and some "
    "of the narrow ones can be cut."
)
VGG = "plain convolutions with batch norm, then three linear layers that hold most parameters."
BASIC = "residual blocks of two convolutions each; the channels inside of a block can be cut."
BOTTLENECK = "residual blocks of three convolutions each; the channels inside can be cut."
REGNET = (
    "Residual blocks with grouped convolutions: what is kept or cut is a whole group of {} "
    "channels, whose importance is the mean of theirs."
)
HALVING = ("vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn", "densenet121")
"""Those that halve the image five times without padding."""
NETWORKS = {
    "vgg11_bn": ("VGG-11", f"8 {VGG}"),
    "vgg13_bn": ("VGG-13", f"10 {VGG}"),
    "vgg16_bn": ("VGG-16", f"13 {VGG}"),
    "vgg19_bn": ("VGG-19", f"16 {VGG}"),
    "resnet18": ("ResNet-18", f"8 {BASIC}"),
    "resnet34": ("ResNet-34", f"16 {BASIC}"),
    "resnet50": ("ResNet-50", f"16 {BOTTLENECK}"),
    "resnet101": ("ResNet-101", f"33 {BOTTLENECK}"),
    "mobilenet_v2": ("MobileNetV2", MOBILE),
    "densenet121": (
        "DenseNet-121",
        "Each layer reads all layers before it; the channels of its bottleneck can be cut.",
    ),
    "efficientnet_b0": (
        "EfficientNet-B0",
        "MobileNet's blocks with gates for the channels, which are cut with them.",
    ),
    "regnet_y_400mf": ("RegNetY-400MF", REGNET.format(16)),
    "regnet_x_400mf": ("RegNetX-400MF", REGNET.format(16)),
}


def _network(name: str) -> TorchvisionNetwork:
    label, text = NETWORKS[name]
    info = ArchitectureInfo(
        name=name,
        label=f"{label} (torchvision)",
        help=f"{text} For images of about 224 pixels.",
        min_image=32 if name in HALVING else 16,
        max_image=512,
    )
    return TorchvisionNetwork(info, is_heavy=VGG in text)


PLUGINS: tuple[Architecture, ...] = tuple(_network(name) for name in NETWORKS)
