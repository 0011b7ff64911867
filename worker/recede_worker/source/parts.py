"""What a written network brings along: its text is copied into the downloaded module.

Every name that is used here is one of torch, of the standard library or of this file.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch
from torch import nn


class Parts(nn.Module):
    """Named parts of a network: modules, and tensors and constants of its own."""

    def __init__(
        self,
        tensors: dict[str, torch.Tensor] | None = None,
        constants: dict[str, torch.Tensor] | None = None,
        /,
        **modules: nn.Module,
    ) -> None:
        super().__init__()
        for name, tensor in (tensors or {}).items():
            if isinstance(tensor, nn.Parameter):
                self.register_parameter(name, tensor)
            else:
                self.register_buffer(name, tensor)
        for name, tensor in (constants or {}).items():
            self.register_buffer(name, tensor, persistent=False)
        for name, module in modules.items():
            self.add_module(name, module)


class NormThen(nn.BatchNorm2d):
    """Batch norm, and what follows it in the same block."""

    def __init__(
        self, features: int, eps: float = 1e-5, momentum: float = 0.1, **modules: nn.Module
    ) -> None:
        super().__init__(features, eps, momentum)
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The parts one after another."""
        x = super().forward(x)
        for part in self.children():
            x = part(x)
        return x


class SameConv2d(nn.Conv2d):
    """A convolution of an image with zeros around it, so that a stride of 1 keeps its size."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """More of the zeros are to the right and below."""
        around = []
        for axis in (1, 0):
            size, step = x.shape[2 + axis], self.stride[axis]
            reach = self.dilation[axis] * (self.kernel_size[axis] - 1) + 1
            missing = max((math.ceil(size / step) - 1) * step + reach - size, 0)
            around += [missing // 2, missing - missing // 2]
        return super().forward(nn.functional.pad(x, around))


def load(path: str) -> nn.Module:
    """The network with the weights of a safetensors file, ready to be evaluated."""
    network: nn.Module = build()  # type: ignore[name-defined] # noqa: F821
    network.load_state_dict(read(path))
    return network.eval()


def read(path: str) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file: 8 bytes length, a header in JSON, then the numbers."""
    kinds = {
        "F64": torch.float64,
        "F32": torch.float32,
        "F16": torch.float16,
        "BF16": torch.bfloat16,
        "I64": torch.int64,
        "I32": torch.int32,
        "U8": torch.uint8,
        "BOOL": torch.bool,
    }
    data = bytearray(Path(path).read_bytes())
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        tensors[name] = torch.empty(entry["shape"], dtype=kinds[entry["dtype"]])
        if last > first:
            part = torch.frombuffer(data[start + first : start + last], dtype=tensors[name].dtype)
            tensors[name] = part.reshape(entry["shape"])
    return tensors
