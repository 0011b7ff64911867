"""Convolutions of few pixels as one matrix product, for training in bfloat16 on a CPU.

With 4×4 pixels or fewer a convolution kernel spends its time on rearranging weights: 512
channels on 2×2 pixels take 30 ms forward and back for a batch of 64, the product of the
gathered windows with the weights 5 ms (docs/benchmarks.md). The last stages of VGG are so.

Tensor letters: B batch, C channels in, O out, H and W pixels, I and J those of the kernel.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

MAX_PIXELS = 16
"""Output pixels of one image from which on the ordinary kernel is at least as fast."""

Pair = tuple[int, int]


class _Product(torch.autograd.Function):
    """Convolution of stride 1 without bias: windows gathered to a matrix, times the weights."""

    @staticmethod
    def forward(ctx: Any, x_BCHW: Tensor, w_OCIJ: Tensor, padding: Pair) -> Tensor:
        rows, out_BOHW = _convolved(x_BCHW, w_OCIJ, padding)
        ctx.save_for_backward(rows, w_OCIJ)
        ctx.padding = padding
        return out_BOHW

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        rows, w_OCIJ = ctx.saved_tensors
        (g_BOHW,) = gradients
        O, C, I, J = w_OCIJ.shape  # noqa: E741
        columns = g_BOHW.permute(1, 0, 2, 3).reshape(O, -1)
        w_gradient = (columns @ rows).view(O, I, J, C).permute(0, 3, 1, 2)
        x_gradient = None
        if ctx.needs_input_grad[0]:
            # The gradient of a convolution is one with the kernel turned around.
            turned = w_OCIJ.flip(2, 3).transpose(0, 1)
            rest = (I - 1 - ctx.padding[0], J - 1 - ctx.padding[1])
            _, x_gradient = _convolved(g_BOHW, turned, rest)
        return x_gradient, w_gradient, None


def _convolved(x_BCHW: Tensor, w_OCIJ: Tensor, padding: Pair) -> tuple[Tensor, Tensor]:
    """What each output pixel sees, as rows (B·H·W, I·J·C), and the output (B, O, H, W)."""
    kernel = w_OCIJ.shape[2:]
    edges = (0, 0, padding[1], padding[1], padding[0], padding[0])
    padded = functional.pad(x_BCHW.permute(0, 2, 3, 1), edges)
    windows = padded.unfold(1, kernel[0], 1).unfold(2, kernel[1], 1).permute(0, 1, 2, 4, 5, 3)
    B, H, W = windows.shape[:3]
    rows = windows.reshape(B * H * W, -1)
    weights = w_OCIJ.permute(2, 3, 1, 0).reshape(-1, len(w_OCIJ))
    return rows, (rows @ weights).view(B, H, W, -1).permute(0, 3, 1, 2)


def product(x_BCHW: Tensor, w_OCIJ: Tensor, padding: Pair) -> Tensor:
    """The convolution of stride 1 without bias, in the number format of both.

    `padding` is smaller than the kernel, in rows and in columns.
    """
    result: Tensor = _Product.apply(x_BCHW, w_OCIJ, padding)
    return result


def speed_up(model: nn.Module) -> None:
    """Let the model's convolutions take the faster way where there is one, in place.

    Weights, names and state stay as they are; outputs are equal up to bfloat16's rounding.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and _is_ordinary(module):
            module.__class__ = _Convolution


def slow_down(model: nn.Module) -> None:
    """Undo `speed_up`."""
    for module in model.modules():
        if isinstance(module, _Convolution):
            module.__class__ = nn.Conv2d  # type: ignore[assignment]


def _is_ordinary(conv: nn.Conv2d) -> bool:
    return (
        type(conv) is nn.Conv2d
        and conv.groups == 1
        and conv.dilation == (1, 1)
        and conv.padding_mode == "zeros"
        and not isinstance(conv.padding, str)
        and conv.stride == (1, 1)
        and conv.kernel_size != (1, 1)
        and all(p < k for p, k in zip(conv.padding, conv.kernel_size, strict=True))
    )


class _Convolution(nn.Conv2d):
    """A Conv2d that takes the matrix product for few pixels in bfloat16 on a CPU."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # noqa: A002
        if not (self._is_bfloat16(input) and self._pixels(input) <= MAX_PIXELS):
            plain: Tensor = super()._conv_forward(input, weight, bias)
            return plain
        x_BCHW, w_OCIJ = input.to(torch.bfloat16), weight.to(torch.bfloat16)
        out = product(x_BCHW, w_OCIJ, self._padding)
        return out if bias is None else out + bias.to(out.dtype).view(1, -1, 1, 1)

    @staticmethod
    def _is_bfloat16(x_BCHW: Tensor) -> bool:
        return (
            x_BCHW.device.type == "cpu"
            and torch.is_autocast_enabled("cpu")
            and torch.get_autocast_dtype("cpu") is torch.bfloat16
        )

    def _pixels(self, x_BCHW: Tensor) -> int:
        """Output pixels of one image."""
        height, width = (
            x_BCHW.shape[2 + axis] + 2 * self._padding[axis] - self.kernel_size[axis] + 1
            for axis in (0, 1)
        )
        return height * width

    @property
    def _padding(self) -> Pair:
        assert not isinstance(self.padding, str)
        return self.padding[0], self.padding[1]
