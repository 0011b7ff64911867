"""Writes any network that can be traced as a Python module that needs torch alone.

The module has `build()`, the network with weights still to be loaded, and `load(path)`, the same
with the weights of a safetensors file. The keys of its state_dict are the original's.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recede_worker.source import parts
from recede_worker.source.layers import NotPlain, first_line
from recede_worker.source.tracing import agree
from recede_worker.source.tree import Tree

__all__ = ["NotPlain", "PlainSource", "first_line", "loading_part", "plain_source"]

TEMPLATE = '''"""{title}

It needs PyTorch alone, no other package. The weights are the safetensors file that was
downloaded with it:

    network = load("model.safetensors")

`build()` is the same network with weights still to be loaded; the names in its state_dict are
those of the original. It is meant for evaluation{size}.
"""

import json
{imports}from pathlib import Path

import torch
from torch import nn


{parts}

{classes}def build() -> nn.Module:
    """The network; its weights are to be loaded."""
    return {tree}


{loading}'''


@dataclass(frozen=True)
class PlainSource:
    """A module's text and what it takes."""

    text: str
    fixed_size: bool
    """Whether it takes images of one size only."""


@torch.inference_mode(mode=False)
@torch.no_grad()
def plain_source(model: nn.Module, input_shape: tuple[int, int, int], title: str) -> PlainSource:
    """The text for a network that takes images (C, H, W); proved with random weights.

    The network itself is used up: its weights are drawn anew.

    Raises:
        NotPlain: it cannot be written, or what was written computes something else.
    """
    lively = _enlivened(model.cpu().float().eval())
    generator = torch.Generator().manual_seed(0)
    images_NCHW = torch.randn(3, *input_shape, generator=generator)
    keys = {name: tensor.shape for name, tensor in lively.state_dict().items()}
    tree = Tree(lively, images_NCHW[:2])
    network = tree.text()
    size = (
        f",\nfor images of {input_shape[1]} × {input_shape[2]} pixels" if tree.fixed_size else ""
    )
    pieces = [_own_text(parts.Parts)]
    pieces += sorted(_own_text(template) for template in tree.templates)
    classes = "".join(
        f"class {name}(Parts):\n{forward}\n\n\n"
        for forward, name in reversed(tree.classes.items())
    )
    text = TEMPLATE.format(
        title=title,
        size=size,
        imports="from collections import OrderedDict\n" if "OrderedDict(" in network else "",
        parts="\n\n".join(pieces),
        classes=classes,
        tree=network,
        loading=loading_part(),
    )
    if "math." in text:
        text = text.replace("import json\n", "import json\nimport math\n", 1)
    _prove(text, lively, keys, images_NCHW)
    return PlainSource(text, tree.fixed_size)


def loading_part() -> str:
    """The functions with which a module reads its weights from a safetensors file."""
    functions = (parts.load, parts.read)
    return "\n\n".join(_own_text(function) for function in functions)


def _own_text(part: type | Callable[..., object]) -> str:
    """Its source without the remarks for our own checkers."""
    return re.sub(r"  # (type: ignore|noqa)[^\n]*", "", inspect.getsource(part))


def _enlivened(model: nn.Module) -> nn.Module:
    """Other weights in each layer, so that a mix-up of layers or channels shows."""
    generator = torch.Generator().manual_seed(0)
    for name, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            continue
        if tensor.dim() > 1:
            scale = (2 / max(1, tensor[0].numel())) ** 0.5
            tensor.copy_(scale * torch.randn(tensor.shape, generator=generator))
        else:
            centre = 1.0 if name.endswith(("weight", "running_var")) else 0.0
            tensor.copy_(centre + 0.4 * (torch.rand(tensor.shape, generator=generator) - 0.5))
    return model


def _prove(text: str, model: nn.Module, keys: dict[str, torch.Size], images_NCHW: Tensor) -> None:
    """Build the network anew from the text alone and compare, also for another batch."""
    namespace: dict[str, object] = {"__name__": "model"}
    exec(compile(text, "model.py", "exec"), namespace)  # noqa: S102 - our own text
    build = namespace["build"]
    assert callable(build)
    made = build().eval()
    found = {name: tensor.shape for name, tensor in made.state_dict().items()}
    if found != keys:
        differing = sorted(set(found.items()) ^ set(keys.items()))[:3]
        raise NotPlain(f"its state_dict would differ: {differing}")
    weights = {name: model.state_dict()[name] for name in keys}
    made.load_state_dict(weights)
    for batch_NCHW in (images_NCHW, images_NCHW[:1]):
        if not agree(made(batch_NCHW), model(batch_NCHW)):
            raise NotPlain("what was written computes something else")
