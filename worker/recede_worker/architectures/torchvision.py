"""torchvision's networks for large images, under its own names and with its own code."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_type_hints

import torch
from torch import nn
from torchvision import models

from recede.contract.errors import UnknownName
from recede.contract.network.pixels import Normalize
from recede.contract.spec.catalog import ArchitectureInfo
from recede.contract.spec.params import ParamSpec
from recede.contract.spec.published import FIELD, PublishedWeights, name_of
from recede_worker.networks.family import Architecture, Config
from recede_worker.networks.published import Published
from recede_worker.networks.traced import Origin, TracedArchitecture

HALF = Normalize(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
"""What GoogLeNet and Inception were trained with; torchvision converts inside of them
(`transform_input`), which ours are built without."""


def _listed(model: str) -> Iterator[tuple[str, PublishedWeights]]:
    """Tags of a model's weights, and what is known of each."""
    for weights in models.get_model_weights(model):
        made = weights.transforms()
        by = Normalize(mean=tuple(made.mean), std=tuple(made.std))
        yield (
            weights.name,
            PublishedWeights(
                names=(weights.name,),
                normalize=HALF if _converts(model) else by,
                image_size=made.crop_size[0],
                crop_pct=round(made.crop_size[0] / made.resize_size[0], 4),
                interpolation=made.interpolation.value,
                classes=len(weights.meta["categories"] or ()),
                licence=weights.meta.get("license", ""),
                size_bytes=round(weights.meta["_file_size"] * 2**20),
                file=_name(weights.url),
            ),
        )


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _file(model: str, tag: str) -> Published:
    """Where torchvision says that these weights are; raises UnknownName."""
    known: Any = models.get_model_weights(model)
    if tag not in known.__members__:
        raise UnknownName("published weights", tag, known.__members__, field=FIELD)
    weights = known[tag]
    return Published(
        file=_name(weights.url),
        licence=weights.meta.get("license", ""),
        outputs=tuple(weights.meta["categories"] or ()) or None,
        url=weights.url,
    )


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

    def published(self, config: Config, tag: str) -> Published:  # noqa: ARG002 - one model
        """By torchvision's table of weights."""
        return _file(self.name, tag)

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
    "channels."
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
        published=tuple(weights for _, weights in _listed(name)),
    )
    return TorchvisionNetwork(info, is_heavy=VGG in text)


@dataclass(frozen=True)
class OtherTorchvisionNetwork(TracedArchitecture):
    """Any network of torchvision.models, chosen by a parameter, untrained."""

    is_sketched = True

    def original(self, config: Config) -> nn.Module:
        """For 3 channels, without the further outputs that some have in training."""
        network: nn.Module = models.get_model(
            config["params"]["model"],
            weights=None,
            num_classes=config["classes"],
            **_plain(config["params"]["model"]),
        )
        return network

    def published(self, config: Config, tag: str) -> Published:
        """By torchvision's table of weights."""
        return _file(config["params"]["model"], tag)

    def origin(self, config: Config) -> Origin:
        """torchvision's function of that name."""
        model = config["params"]["model"]
        options = "".join(f", {key}={value}" for key, value in _plain(model).items())
        return Origin(
            needs=f"torchvision's {model}",
            imports="from torchvision import models",
            call=f"models.{model}(weights=None, num_classes={config['classes']}{options})",
        )


def _plain(model: str) -> dict[str, bool]:
    """Options of one output alone, and of weights that are not drawn in minutes."""
    return {"aux_logits": False, "init_weights": False} if "aux_logits" in _options(model) else {}


def _converts(model: str) -> bool:
    """Whether torchvision builds the network of published weights with other inputs inside."""
    return "transform_input" in _options(model)


def _options(model: str) -> set[str]:
    made = get_type_hints(models.get_model_builder(model))["return"]
    return set(inspect.signature(made).parameters)


def _others() -> OtherTorchvisionNetwork:
    names = sorted(models.list_models(module=models))
    model = ParamSpec(
        name="model",
        kind="choice",
        default="mobilenet_v3_small",
        label="Model",
        help="torchvision's name of the network. Those without batch norm, or of which "
        "nothing can be cut, are refused with the reason when the run starts.",
        choices=tuple(names),
    )
    info = ArchitectureInfo(
        name="torchvision-any",
        label="torchvision",
        help="Any convolutional network with batch norm of torchvision, untrained. What of it can "
        "be cut is found by tracing.",
        params=(model,),
        min_image=16,
        max_image=512,
        published=tuple(
            weights.model_copy(update={"names": (name_of(name, tag),)})
            for name in names
            for tag, weights in _listed(name)
        ),
    )
    return OtherTorchvisionNetwork(info)


PLUGINS: tuple[Architecture, ...] = (*(_network(name) for name in NETWORKS), _others())
