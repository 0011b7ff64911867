"""What removed channels of ordinary batch norms still send, folded into what follows.

A channel with γ = 0 sends the same number everywhere: β behind the norm, relu(β) behind a ReLU,
or whatever the layers between make of it. That number is measured where it is read, in the
network in which those channels are so stilled. What a reading layer makes of it is added to
its bias, or taken off the running mean of the batch norm behind it. Zero padding is not that
number, so that image borders differ: where most output pixels see no padding, the others give
the exact value for them; on smaller maps it is the mean over all pixels.

Tensor letters: N batch, W slices that a layer reads, O those that it makes, H and W pixels.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

CONSTANT = 1e-4  # relative to the largest of a layer: what varies less is float32's rounding
SAME = 1e-6  # the same in float64
MOST = 0.5  # of the pixels


@dataclass
class Folding:
    """What is to be changed in the network before the channels are removed."""

    biases: dict[str, Tensor] = field(default_factory=dict)
    """Layer → what is added to its bias, (O,)."""
    means: dict[str, Tensor] = field(default_factory=dict)
    """Batch norm → what is taken off its running mean, (O,)."""
    left: tuple[str, ...] = ()
    """Layers in which the numbers are dropped, wholly or in part: what they read depends on the
    image, for it passed a gate, or they have neither a bias nor a batch norm behind them."""

    @torch.no_grad()
    def apply(self, model: nn.Module) -> None:
        """Change the network in place."""
        for name, delta_O in self.biases.items():
            model.get_submodule(name).bias.add_(delta_O)  # type: ignore[operator]
        for name, delta_O in self.means.items():
            model.get_submodule(name).running_mean.sub_(delta_O)  # type: ignore[operator]


@torch.inference_mode(mode=False)
@torch.no_grad()
def folding(
    still: nn.Module,
    removed: Mapping[str, Tensor],
    behind: Mapping[str, str],
    x_NCHW: Tensor,
) -> Folding:
    """Measure what the layers of `removed` (name → (W,) slices that go) make of the constants.

    `still` is the network in evaluation in which the channels are stilled, `behind` names the
    batch norm behind a layer that has no bias, as `norms_behind` finds it, and `x_NCHW` are at
    least two different images of the run's size.
    """
    made: dict[str, tuple[Tensor, bool]] = {}
    layers = {name: still.get_submodule(name) for name in removed}
    hooks = [
        layers[name].register_forward_pre_hook(partial(_measure, made, name, slices_W))
        for name, slices_W in removed.items()
        if bool(slices_W.any())
    ]
    still(x_NCHW)
    for hook in hooks:
        hook.remove()
    found, left = Folding(), []
    for name, (delta_O, varies) in made.items():
        if varies:
            left.append(name)
        if not bool(delta_O.any()):
            continue
        if layers[name].bias is not None:
            found.biases[name] = delta_O
        elif name in behind:
            found.means[behind[name]] = delta_O
        elif not varies:
            left.append(name)
    found.left = tuple(left)
    return found


def _measure(
    made: dict[str, tuple[Tensor, bool]],
    name: str,
    slices_W: Tensor,
    layer: nn.Module,
    inputs: tuple[Any, ...],
) -> None:
    """Before a layer reads: what it makes of the slices that go, and whether some vary."""
    x = inputs[0]
    dim = x.dim() - 1 if isinstance(layer, nn.Linear) else 1
    rest = [d for d in range(x.dim()) if d != dim]
    largest = x.index_select(dim, slices_W.nonzero().flatten()).abs().max()
    varies_W = ((x - x[:1]).abs().amax(rest) > CONSTANT * largest) & slices_W
    shape = [1] * x.dim()
    shape[dim] = -1
    constant = torch.where((slices_W & ~varies_W).view(shape), x[:1], 0)
    forward = type(layer).forward  # the layer's own, without this hook
    response = forward(layer, constant) - forward(layer, torch.zeros_like(constant))
    made[name] = (_level(response.movedim(dim, 0).flatten(1)), bool(varies_W.any()))


def _level(response_OP: Tensor) -> Tensor:
    """One number a channel for its pixels: that of most of them, or else their mean."""
    middle_O = response_OP.median(dim=1).values
    size = response_OP.abs().max()
    alike_OP = (response_OP - middle_O[:, None]).abs() <= CONSTANT * size
    return torch.where(alike_OP.double().mean(1) > MOST, middle_O, response_OP.mean(1))


@torch.inference_mode(mode=False)
@torch.no_grad()
def norms_behind(model: nn.Module, layers: Iterable[str], x_NCHW: Tensor) -> dict[str, str]:
    """Layer → the batch norm that reads its output, where nothing else does.

    Whether nothing else does is tried: numbers added to the output and to the running mean must
    cancel. A network that cannot be computed in float64 has none.
    """
    copied = copy.deepcopy(model).double().eval()
    x_NCHW = x_NCHW.double()
    try:
        pairs = _adjacent(copied, layers, x_NCHW)
        expected = copied(x_NCHW)
        if _cancels(copied, pairs, x_NCHW, expected):
            return pairs
        each = ({layer: norm} for layer, norm in pairs.items())
        alone = [one for one in each if _cancels(copied, one, x_NCHW, expected)]
        return {layer: norm for one in alone for layer, norm in one.items()}
    except RuntimeError:
        return {}


def _adjacent(model: nn.Module, layers: Iterable[str], x_NCHW: Tensor) -> dict[str, str]:
    """Norms whose input is the very tensor that a layer gave."""
    gave: list[tuple[str, Tensor]] = []
    pairs: dict[str, str] = {}

    def note(name: str, _layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        gave.append((name, output))

    def look(norm: str, _norm: nn.Module, inputs: tuple[Any, ...]) -> None:
        pairs.update({name: norm for name, output in gave if output is inputs[0]})

    named = dict(model.named_modules())
    hooks = [named[name].register_forward_hook(partial(note, name)) for name in layers]
    hooks += [
        module.register_forward_pre_hook(partial(look, name))
        for name, module in named.items()
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None
    ]
    model(x_NCHW)
    for hook in hooks:
        hook.remove()
    return pairs


def _cancels(model: nn.Module, pairs: Mapping[str, str], x_NCHW: Tensor, expected: Tensor) -> bool:
    """Whether a shift of these layers' outputs is undone by that of the norms' means."""
    shifted = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(0)

    def shift(by_C: Tensor, _layer: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        return output + by_C.view(1, -1, *[1] * (output.dim() - 2))

    for layer, norm in pairs.items():
        module = shifted.get_submodule(norm)
        assert isinstance(module, nn.BatchNorm2d)
        assert module.running_mean is not None
        assert module.running_var is not None
        noise_C = torch.randn(module.num_features, generator=generator, dtype=torch.float64)
        by_C = noise_C * module.running_var.sqrt()
        module.running_mean += by_C
        shifted.get_submodule(layer).register_forward_hook(partial(shift, by_C))
    difference = (shifted(x_NCHW) - expected).abs().max()
    return bool(difference <= SAME * expected.abs().max())
