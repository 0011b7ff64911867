"""Narrow networks with the signal of trained ones, and random cuts of them."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from recede.contract.cut.selection import Mask
from recede.contract.network.cost import Cost, cost
from recede.contract.network.shape import NetworkShape
from recede_worker.core.cutting.surgery import Surgeon, max_difference
from recede_worker.core.graph.channels import network_shape
from recede_worker.core.graph.trace import Trace, trace
from recede_worker.core.norms.bounded import BoundedBatchNorm2d, bound
from recede_worker.core.norms.initialise import initialise
from recede_worker.networks.family import Architecture, Config
from recede_worker.networks.traced import TracedArchitecture
from recede_worker.plugins.registry import architectures

Scale = Literal["bounded", "plain"]
TRACED = sorted(n for n, a in architectures().items() if isinstance(a, TracedArchitecture))
"""Networks of other people's code."""
PLAIN = sorted(set(architectures()) - set(TRACED))
HEAVY = ("vgg13_bn", "vgg16_bn", "vgg19_bn", "resnet101", "vgg11_bn", "resnet34", "resnet50")
"""So many weights that tests look at their shape, not at their numbers."""
LIGHT = [name for name in TRACED if name not in HEAVY]
FOREIGN = [
    *("mobilenet_v2", "regnet_y_400mf"),
    *(name for name in TRACED if architectures()[name].info.params),
]
"""One of each kind of other people's: depthwise, grouped with gates, of another library."""
EXAMPLES = [*PLAIN, *FOREIGN]
STANDS_FOR_ITS_KIND = {"vgg11", "resnet20", "resnet18", "densenet121", *FOREIGN}
"""A chain, shortcuts (ours and torchvision's), concatenations; other kinds as above."""
CLASSES = 10


def each_kind_first(names: Iterable[str]) -> list[Any]:
    """All names as parameters; `make test` runs only those that stand for their kind."""
    return [
        pytest.param(name, marks=() if name in STANDS_FOR_ITS_KIND else pytest.mark.thorough)
        for name in names
    ]


def narrow_config(architecture: Architecture, in_channels: int = 3) -> Config:
    """Twice the least width that the architecture allows, if it has a width."""
    params = {}
    for spec in architecture.info.params:
        if spec.name == "width" and spec.minimum:
            params["width"] = 2 * spec.minimum
    return architecture.config(in_channels, CLASSES, image_size(architecture), params)


def image_size(architecture: Architecture) -> int:
    return min(max(28, architecture.info.min_image), architecture.info.max_image)


def enliven(model: nn.Module, images_NCHW: torch.Tensor, seed: int = 0) -> nn.Module:
    """Random weights, scales and biases, and the running statistics that belong to them."""
    generator = torch.Generator().manual_seed(seed)
    initialise(model, generator)
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d | BoundedBatchNorm2d)]
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, generator=generator)
            nn.init.normal_(module.bias, std=0.5, generator=generator)
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=module.in_features**-0.5, generator=generator)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        model.train()(images_NCHW)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return model.eval()


def network(
    name: str, scale: Scale, dtype: torch.dtype = torch.float32, seed: int = 0
) -> tuple[nn.Module, NetworkShape, dict[str, str], torch.Tensor]:
    """A lively narrow network, its shape, its norms and images to put through it."""
    model, shape, norms, images_NCHW = _network(name, scale, dtype, seed)
    return copy.deepcopy(model), shape, dict(norms), images_NCHW


def surgeon_of(model: nn.Module, shape: NetworkShape, norms: dict[str, str]) -> Surgeon:
    """One for what `network` gave."""
    return Surgeon(model, shape, norms, traced(shape.architecture))


@lru_cache(maxsize=32)
def traced(name: str) -> Trace:
    """The trace of the narrow network, which is the same for all scales and weights."""
    architecture = architectures()[name]
    size = image_size(architecture)
    return trace(architecture.build(narrow_config(architecture)), (3, size, size))


@lru_cache(maxsize=32)
def _network(
    name: str, scale: Scale, dtype: torch.dtype, seed: int
) -> tuple[nn.Module, NetworkShape, dict[str, str], torch.Tensor]:
    architecture = architectures()[name]
    config = narrow_config(architecture)
    model, norms = architecture.build(config), architecture.norms(config)
    if scale == "bounded":
        bound(model, list(norms.values()))
    size = image_size(architecture)
    generator = torch.Generator().manual_seed(seed + 1)
    images_NCHW = torch.randn(4, 3, size, size, generator=generator).to(dtype)
    enliven(model.to(dtype), images_NCHW, seed)
    shape = network_shape(
        model,
        architecture=name,
        norms=norms,
        input_shape=(3, size, size),
        classes=CLASSES,
        scale=scale,
        traced=traced(name),
    )
    return model, shape, norms, images_NCHW


def random_mask(shape: NetworkShape, rng: np.random.Generator) -> Mask:
    """Keeps a random share of each layer, never less than its minimum."""
    parts = []
    for group in shape.groups:
        n_keep = int(rng.integers(group.minimum, group.size + 1))
        keep = np.zeros(group.size, dtype=np.bool_)
        keep[rng.permutation(group.size)[:n_keep]] = True
        parts.append(keep)
    return np.concatenate(parts)


def kept_counts(shape: NetworkShape, mask: Mask) -> list[int]:
    return [int(part.sum()) for part in shape.split(mask)]


def counted_params(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def counted_macs(model: nn.Module, image_NCHW: torch.Tensor) -> int:
    """Multiply-adds of one image by torch's own counter, which reports 2 a multiply-add."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(image_NCHW)
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return flops // 2


def assert_same_outputs(
    model: nn.Module,
    other: nn.Module,
    images_NCHW: torch.Tensor,
    tolerance: float = 1e-9,
    *,
    least: float = 0.0,
) -> None:
    """Two networks' outputs differ by at most `tolerance` of the largest: sums are rounded.

    Outputs under `least` count as that large.
    """
    with torch.inference_mode():
        size = float(other(images_NCHW).abs().max())
    assert size > 1e-3, "a network that sends nothing proves nothing"
    assert max_difference(model, other, images_NCHW) <= tolerance * max(least, size)


def assert_cuts_are_exact(
    surgeon: Surgeon, shape: NetworkShape, images: torch.Tensor, times: int
) -> tuple[Mask, nn.Module]:
    """Random cuts equal their masked network and cost what was said; the last of them."""
    rng = np.random.default_rng(0)
    for _ in range(times):
        mask = random_mask(shape, rng)
        small, masked = surgeon.cut(mask), surgeon.masked(mask)
        assert_same_outputs(small, masked, images)
        counted = Cost(counted_params(small), counted_macs(small, images[:1]))
        assert cost(shape, kept_counts(shape, mask)) == counted
    return mask, small
