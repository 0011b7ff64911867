"""A layer of torch.nn as the expression that constructs it again, with its real arguments."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor, nn


class NotPlain(Exception):
    """A network, or a part of it, that cannot be written as plain PyTorch; says why."""


OF_TORCH = "torch.nn.modules."
STRUCTURES: tuple[type[nn.Module], ...] = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
SKIPPED = ("device", "dtype")
VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
PAIRS = ("kernel_size", "stride", "padding", "dilation", "output_size")
SHOWN_CONSTANTS = 256
"""Numbers of a constant tensor that a source may hold."""


def is_of_torch(module: nn.Module) -> bool:
    """Whether its class is one of torch.nn's own, not a subclass of it."""
    return type(module).__module__.startswith(OF_TORCH)


def is_structure(module: nn.Module) -> bool:
    """Whether it only holds others, or calls them one after another."""
    kinds = [kind for kind in STRUCTURES if isinstance(module, kind)]
    return bool(kinds) and type(module).forward is kinds[0].forward


def constructor(layer: nn.Module, kind: type[nn.Module] | None = None) -> tuple[str, list[str]]:
    """`nn.Conv2d` and its arguments, of a layer of torch.nn or of a class below `kind`.

    Raises:
        NotPlain: its attributes do not reveal the arguments.
    """
    made: type[nn.Module] = type(layer) if kind is None else kind
    if getattr(nn, made.__name__, None) is not made:
        raise NotPlain(f"torch.nn has no {made.__name__} to construct")
    required, optional = [], []
    for name, parameter in inspect.signature(made).parameters.items():
        if name in SKIPPED or parameter.kind in VARIABLE:
            continue
        value = _argument(layer, name, parameter.default)
        if value is parameter.empty:
            raise NotPlain(f"{made.__name__} does not reveal its argument {name!r}")
        if parameter.default is parameter.empty:
            required.append(literal(_single(name, value)))
        elif _single(name, value) != _single(name, parameter.default):
            optional.append(f"{name}={literal(_single(name, value))}")
    head, arguments = f"nn.{made.__name__}", required + optional
    _require_same(layer, f"{head}({', '.join(arguments)})")
    return head, arguments


def _argument(layer: nn.Module, name: str, default: Any) -> Any:
    """What the argument was, from the attribute of that name; `default` where there is none."""
    if name == "bias" and "bias" in (*layer._parameters, *layer._buffers):
        return layer.bias is not None
    value = getattr(layer, name, default)
    return default if isinstance(value, Tensor) else value


def _single(name: str, value: Any) -> Any:
    """3 for (3, 3) where torch.nn takes either."""
    is_pair = name in PAIRS and isinstance(value, tuple) and len(value) == 2
    return value[0] if is_pair and value[0] == value[1] else value


def _require_same(layer: nn.Module, text: str) -> None:
    with torch.device("meta"):
        made = eval(text, {"nn": nn, "torch": torch})  # noqa: S307 - our own text of numbers
    shapes = [{k: v.shape for k, v in m.state_dict().items()} for m in (made, layer)]
    if shapes[0] != shapes[1]:
        raise NotPlain(f"{text} has other weights than the layer that it is to replace")


def literal(value: Any) -> str:
    """A value of JSON's kinds, a tuple, slice, dtype or device as Python text.

    Raises:
        NotPlain: it is something else.
    """
    if isinstance(value, tuple | torch.Size):
        inner = ", ".join(literal(part) for part in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, list):
        return f"[{', '.join(literal(part) for part in value)}]"
    if isinstance(value, slice):
        parts = (value.start, value.stop, value.step)
        return f"slice({', '.join(literal(part) for part in parts)})"
    if isinstance(value, torch.dtype | torch.memory_format | torch.layout):
        return str(value)
    if isinstance(value, torch.device):
        return f"torch.device({str(value)!r})"
    if value is Ellipsis:
        return "..."
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return f"float({str(value)!r})"
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    raise NotPlain(f"a {type(value).__name__} is used in it")


def zeros(tensor: Tensor) -> str:
    """The shape and type of a tensor that is loaded later."""
    shape = literal(tuple(tensor.shape))
    is_float = tensor.dtype == torch.float32
    return f"torch.zeros({shape})" if is_float else f"torch.zeros({shape}, dtype={tensor.dtype})"


def constant(tensor: Tensor) -> str:
    """The values of a tensor that no file holds; equal slices are written once.

    Raises:
        NotPlain: there are too many of them.
    """
    values = tensor.detach().cpu()
    shape = tuple(values.shape)
    if values.dim() and shape[0] > 1 and bool((values == values[:1]).all()):
        ones = (1,) * (len(shape) - 1)
        return f"{constant(values[:1])}.repeat({', '.join(map(str, (shape[0], *ones)))})"
    if values.numel() > SHOWN_CONSTANTS:
        raise NotPlain(f"it has a constant of {values.numel()} numbers")
    is_default = values.dtype in (torch.float32, torch.int64, torch.bool)
    kind = "" if is_default else f", dtype={values.dtype}"
    return f"torch.tensor({values.tolist()!r}{kind})"


def first_line(error: BaseException) -> str:
    """What an error says first, or what it is called."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(".")
