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
    """Convolution without bias: windows gathered to a matrix, times the weights."""

    @staticmethod
    def forward(ctx: Any, x_BCHW: Tensor, w_OCIJ: Tensor, stride: Pair, padding: Pair) -> Tensor:
        windows = _windows(x_BCHW, (w_OCIJ.shape[2], w_OCIJ.shape[3]), stride, padding)
        B, H, W = windows.shape[:3]
        rows = windows.reshape(B * H * W, -1)
        weights = w_OCIJ.permute(0, 2, 3, 1).reshape(len(w_OCIJ), -1)
        ctx.save_for_backward(rows, weights)
        ctx.shapes = x_BCHW.shape, w_OCIJ.shape, (B, H, W), stride, padding
        return (rows @ weights.t()).view(B, H, W, -1).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        rows, weights = ctx.saved_tensors
        x_shape, (O, C, I, J), (B, H, W), stride, padding = ctx.shapes  # noqa: E741
        gradient = gradients[0].permute(0, 2, 3, 1).reshape(B * H * W, O)
        w_OCIJ = (gradient.t() @ rows).view(O, I, J, C).permute(0, 3, 1, 2)
        x_BCHW = None
        if ctx.needs_input_grad[0]:
            parts = (gradient @ weights).view(B, H, W, I, J, C)
            x_BCHW = _scattered(parts, x_shape, stride, padding)
        return x_BCHW, w_OCIJ, None, None


def _windows(x_BCHW: Tensor, kernel: Pair, stride: Pair, padding: Pair) -> Tensor:
    """What each output pixel sees: (B, H, W, I, J, C)."""
    rows, columns = padding
    padded = functional.pad(x_BCHW.permute(0, 2, 3, 1), (0, 0, columns, columns, rows, rows))
    windows = padded.unfold(1, kernel[0], stride[0]).unfold(2, kernel[1], stride[1])
    return windows.permute(0, 1, 2, 4, 5, 3)


def _scattered(parts: Tensor, shape: torch.Size, stride: Pair, padding: Pair) -> Tensor:
    """The opposite of `_windows`: what each window says of its pixels, summed (B, C, H, W)."""
    _, H, W, I, J, _ = parts.shape  # noqa: E741
    B, C, height, width = shape
    total = parts.new_zeros(B, height + 2 * padding[0], width + 2 * padding[1], C)
    for i in range(I):
        for j in range(J):
            rows = slice(i, i + stride[0] * (H - 1) + 1, stride[0])
            columns = slice(j, j + stride[1] * (W - 1) + 1, stride[1])
            total[:, rows, columns] += parts[:, :, :, i, j]
    inner = total[:, padding[0] : padding[0] + height, padding[1] : padding[1] + width]
    return inner.permute(0, 3, 1, 2)


def product(x_BCHW: Tensor, w_OCIJ: Tensor, stride: Pair, padding: Pair) -> Tensor:
    """The convolution without bias of images with a kernel, in the images' number format."""
    result: Tensor = _Product.apply(x_BCHW, w_OCIJ, stride, padding)
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
        and conv.kernel_size != (1, 1)
    )


class _Convolution(nn.Conv2d):
    """A Conv2d that takes the matrix product for few pixels in bfloat16 on a CPU."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # noqa: A002
        if not (self._is_bfloat16(input) and self._pixels(input) <= MAX_PIXELS):
            plain: Tensor = super()._conv_forward(input, weight, bias)
            return plain
        x_BCHW, w_OCIJ = input.to(torch.bfloat16), weight.to(torch.bfloat16)
        out = product(x_BCHW, w_OCIJ, (self.stride[0], self.stride[1]), self._padding)
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
            (x_BCHW.shape[2 + axis] + 2 * self._padding[axis] - self.kernel_size[axis])
            // self.stride[axis]
            + 1
            for axis in (0, 1)
        )
        return height * width

    @property
    def _padding(self) -> Pair:
        assert not isinstance(self.padding, str)
        return self.padding[0], self.padding[1]
