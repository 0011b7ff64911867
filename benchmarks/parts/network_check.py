"""One network, taken or refused: traced, cut at random, and every promise of the cut checked."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from recede.contract.cut.selection import Mask
from recede.contract.errors import InvalidInput
from recede.contract.network.cost import Cost, cost
from recede.contract.network.shape import NetworkShape
from recede_worker.core.cutting.surgery import Surgeon, max_difference
from recede_worker.core.graph.channels import network_shape
from recede_worker.core.graph.trace import trace
from recede_worker.core.norms.initialise import initialise
from recede_worker.networks.tracing import TracingOptions, tracing_with
from recede_worker.plugins.registry import architectures
from recede_worker.process.limits import Limits

CLASSES = 10
IMAGES = 4


@dataclass(frozen=True)
class Checked:
    """What was found of one network."""

    size: int
    """Pixels of its images."""
    trace_s: float
    """Seconds for building, tracing and proving it."""
    reason: str = ""
    """Why it was refused; empty if it was taken."""
    groups: int = 0
    inner: float = 0.0
    """Share of the parameters that the smallest cut of the inner groups removes."""
    all: float = 0.0
    """The same with the channels that shortcuts join."""
    same_cost: bool = False
    """Whether the predicted parameters and multiply-adds are those of the really cut network."""
    difference: float = math.inf
    """Largest difference of cut and masked outputs in float64, relative to the largest output."""

    @property
    def taken(self) -> bool:
        """Whether it can be trained and cut."""
        return not self.reason


def check(model: str, size: int) -> Checked:
    """Trace timm's `model` for images of `size` pixels and check a random cut of its statistics.

    It is meant for a process of its own: whatever the network raises is raised.
    """
    torch.manual_seed(0)
    architecture = architectures()["timm"]
    start = time.perf_counter()
    with tracing_with(TracingOptions(limits=Limits(memory_gb=0))):
        try:
            config = architecture.config(3, CLASSES, size, {"model": model}, "all")
        except InvalidInput as error:
            return Checked(size, time.perf_counter() - start, error.message)
        trace_s = time.perf_counter() - start
        norms = architecture.norms(config)
        network = architecture.build(config)
    traced = trace(network, (3, size, size))  # which does not depend on its numbers
    images_NCHW = torch.randn(IMAGES, 3, size, size, dtype=torch.float64)
    _enliven(network.double(), images_NCHW)
    shape = network_shape(
        network,
        architecture=model,
        norms=norms,
        input_shape=(3, size, size),
        classes=CLASSES,
        scale="plain",
        traced=traced,
    )
    surgeon = Surgeon(network, shape, norms, traced)
    mask = _random_mask(shape)
    small, masked = surgeon.cut(mask), surgeon.masked(mask)
    predicted = cost(shape, [int(part.sum()) for part in shape.split(mask)])
    with torch.inference_mode():
        largest = float(masked(images_NCHW).abs().max())
    inner = [isinstance(norm, str) for norm in norms.values()]
    return Checked(
        size=size,
        trace_s=trace_s,
        groups=len(norms),
        inner=_reach(shape, inner),
        all=_reach(shape, [True] * len(norms)),
        same_cost=predicted == _counted(small, images_NCHW[:1]),
        difference=max_difference(small, masked, images_NCHW) / largest,
    )


def _reach(shape: NetworkShape, chosen: list[bool]) -> float:
    """Share of the parameters that go with all but the least channels of the chosen groups."""
    least = [g.minimum if one else g.size for g, one in zip(shape.groups, chosen, strict=True)]
    return 1 - cost(shape, least).params / cost(shape, shape.sizes).params


def _counted(model: nn.Module, image_NCHW: Tensor) -> Cost:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(image_NCHW)
    params = sum(parameter.numel() for parameter in model.parameters())
    return Cost(params, counter.get_total_flops() // 2)


@torch.no_grad()
def _enliven(model: nn.Module, images_NCHW: Tensor) -> None:
    """Random weights, scales and biases, and the running statistics that belong to them."""
    generator = torch.Generator().manual_seed(0)
    initialise(model, generator)
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d) and m.affine]
    for norm in norms:
        nn.init.normal_(norm.weight, generator=generator)
        nn.init.normal_(norm.bias, std=0.5, generator=generator)
        norm.momentum = 1.0
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5, generator=generator)
    for parameter in model.parameters():
        if float(parameter.abs().max()) < 1e-2:  # a scale of 1e-6 would hide what it scales
            nn.init.normal_(parameter, generator=generator)
    model.train()(images_NCHW)
    model.eval()


def _random_mask(shape: NetworkShape) -> Mask:
    """Half of each group, or its minimum if that is more."""
    rng = np.random.default_rng(0)
    parts = []
    for group in shape.groups:
        keep = np.zeros(group.size, dtype=np.bool_)
        keep[rng.permutation(group.size)[: max(group.minimum, group.size // 2)]] = True
        parts.append(keep)
    return np.concatenate(parts)
