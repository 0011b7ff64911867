"""Networks that give more than scores: maps, tuples or dicts become one row an image.

Which channels reach the output is all that tracing asks of it, so the mean of each map will do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from recede.contract.errors import InvalidInput


def as_rows(model: nn.Module, images: Tensor) -> nn.Module:
    """The network itself if it gives (N, K), else in place one that does, for tracing alone.

    Raises:
        InvalidInput: what it gives holds no tensor with a row for each image.
    """
    with torch.no_grad():
        output = model(images[:1])
    if not isinstance(output, Tensor) or output.ndim != 2:
        _rows(output, 1)  # refuses what it cannot make rows of
        kind = type(model)
        model.__class__ = type(kind.__name__, (_AsRows, kind), {})
    return model


def as_given(model: nn.Module) -> nn.Module:
    """The network of as_rows, or one made of it, in place as it was: it gives all that it gave."""
    if isinstance(model, _AsRows):
        _, model.__class__ = type(model).__bases__
    return model


def compared(output: Any) -> list[Tensor]:
    """All tensors of an output, in order, as float64.

    Raises:
        InvalidInput: it holds what cannot be compared.
    """
    if isinstance(output, Tensor):
        return [output.double()]
    if isinstance(output, Mapping):
        return compared(list(output.values()))
    if isinstance(output, list | tuple):
        return [tensor for value in output for tensor in compared(value)]
    if output is None or isinstance(output, bool | int | float | str):
        return []
    raise InvalidInput(
        f"The model gives {_described(output)}; tensors, or tuples, lists and dicts of them, can "
        "be compared.",
        field="model",
        hint="Wrap it in a module that returns its tensors.",
    )


class _AsRows(nn.Module):
    """Before the class of a network: what that gives, as rows."""

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """(N, K): the mean of each channel of each tensor."""
        return _rows(super().forward(x_NCHW), len(x_NCHW))


def _rows(output: Any, n: int) -> Tensor:
    found = [tensor for tensor in _tensors(output) if tensor.ndim > 1 and len(tensor) == n]
    if not found:
        raise InvalidInput(
            f"For {n} image{'' if n == 1 else 's'} the model gives {_described(output)}; a tensor "
            "with a row for each image is needed, or a tuple or dict that holds one.",
            field="model",
            hint="Wrap it in a module that returns what comes before its boxes are chosen.",
        )
    parts = [one.flatten(2).mean(2) if one.ndim > 2 else one for one in found]
    return torch.cat(parts, dim=1)


def _tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        if output.is_floating_point():
            yield output
    elif isinstance(output, Mapping):
        for value in output.values():
            yield from _tensors(value)
    elif isinstance(output, list | tuple):
        for value in output:
            yield from _tensors(value)


def _described(output: Any) -> str:
    if isinstance(output, Tensor):
        return f"a tensor of shape {tuple(output.shape)}"
    return f"a {type(output).__name__}"
