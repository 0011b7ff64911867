"""Small networks of which a part lies outside of convolutions, linear layers and batch norms.

Each has a group that nothing of it reaches (`free`), so that it can be cut, and channels that stay
whole.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.worker.core.joints import Head, unit


class Beside(Head):
    """A stem, the part in question, and a pair of layers whose inner channels are free."""

    def __init__(self) -> None:
        super().__init__(8)
        self.free, self.after = unit(8, 10, 3), nn.Conv2d(10, 8, 1)

    def part(self, x: Tensor) -> Tensor:
        """What computes on the stem's 8 channels."""
        return x

    def body(self, x: Tensor) -> Tensor:
        return self.after(self.free(self.part(x)))


class ChannelConvolution(Beside):
    """A gate by a convolution along the channels, as efficient channel attention has it."""

    def __init__(self) -> None:
        super().__init__()
        self.along = nn.Conv1d(1, 1, 3, padding=1, bias=False)

    def part(self, x: Tensor) -> Tensor:
        gate = self.along(x.mean((2, 3)).unsqueeze(1)).squeeze(1)
        return x * torch.sigmoid(gate)[:, :, None, None]


class LayerScale(Beside):
    """A learned scale of each channel, so small at first that it hides what it scales."""

    def __init__(self) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((8,), 1e-6))

    def part(self, x: Tensor) -> Tensor:
        return x * self.gamma.view(1, -1, 1, 1)


class Positions(Beside):
    """A learned code of each row, made on the device that a weight says."""

    def __init__(self) -> None:
        super().__init__()
        self.code = nn.Conv2d(1, 8, 1)

    def part(self, x: Tensor) -> Tensor:
        rows = torch.arange(x.shape[2], device=self.code.weight.device, dtype=x.dtype)
        return x + self.code(rows[None, None, :, None])


class LayerNormInGate(Beside):
    """Squeeze-and-excitation with a layer norm between its two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.squeeze, self.excite = nn.Linear(8, 4), nn.Linear(4, 8)
        self.norm = nn.LayerNorm(4)

    def part(self, x: Tensor) -> Tensor:
        gate = self.excite(torch.relu(self.norm(self.squeeze(x.mean((2, 3))))))
        return x * torch.sigmoid(gate)[:, :, None, None]


class NormInHead(Beside):
    """A batch norm over vectors before the last layer."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.BatchNorm1d(8), nn.Linear(8, 5))  # type: ignore[assignment]


class BatchFirst(Beside):
    """Attention over the pixels, by torch's own layer, whose linear layer is never called."""

    batch_first = True

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=self.batch_first)

    def part(self, x: Tensor) -> Tensor:
        tokens = x.flatten(2).transpose(1, 2)
        return self.attend(tokens).transpose(1, 2).reshape(x.shape)

    def attend(self, tokens: Tensor) -> Tensor:
        return self.attention(tokens, tokens, tokens, need_weights=False)[0]


class TokensFirst(BatchFirst):
    """The same with the pixels in the first dimension, where images are kept apart elsewhere."""

    batch_first = False

    def attend(self, tokens: Tensor) -> Tensor:
        return super().attend(tokens.transpose(0, 1)).transpose(0, 1)


class Windows(Beside):
    """A linear layer on windows, which are counted as images."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = nn.Linear(8, 8)

    def part(self, x: Tensor) -> Tensor:
        N, C, H, W = x.shape
        windows = x.view(N, C, 2, H // 2, 2, W // 2).permute(0, 2, 4, 3, 5, 1)
        windows = windows.reshape(-1, H * W // 4, C)
        weights = torch.softmax(windows @ windows.transpose(1, 2), -1)
        out = self.inside(weights @ windows).reshape(N, 2, 2, H // 2, W // 2, C)
        return out.permute(0, 5, 1, 3, 2, 4).reshape(N, C, H, W)


class Blur(Beside):
    """Pooling by a fixed filter that is no layer's."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("filter", torch.full((8, 1, 2, 2), 0.25))

    def part(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, self.filter, stride=2, groups=8)


class Transposed(Beside):
    """A transposed convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(8, 8, 2, stride=2)

    def part(self, x: Tensor) -> Tensor:
        return self.up(x)


class Standardised(nn.Conv2d):
    """A convolution with a gain of its own over standardised weights."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__(width, out, 1)
        self.gain = nn.Parameter(torch.ones(out, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        return functional.conv2d(x, weight * self.gain, self.bias)


class OwnParameter(Beside):
    """A convolution that holds more than weight and bias."""

    def __init__(self) -> None:
        super().__init__()
        self.own = Standardised(8, 8)

    def part(self, x: Tensor) -> Tensor:
        return self.own(x)


class TopChannels(Beside):
    """Only the strongest four channels of an image go on."""

    def part(self, x: Tensor) -> Tensor:
        best = x.mean((2, 3)).topk(4).indices
        gate = torch.zeros(x.shape[:2], dtype=x.dtype).scatter(1, best, 1.0)
        return x * gate[:, :, None, None]


class RareRoute(Beside):
    """Another way for images that are rarely seen, chosen for each without a branch in Python."""

    def part(self, x: Tensor) -> Tensor:
        is_rare = x.mean((1, 2, 3), keepdim=True) > 50
        return torch.where(is_rare, x.flip(1), x)


class Slope(Beside):
    """One learned number for all channels, which no cut changes."""

    def __init__(self) -> None:
        super().__init__()
        self.act = nn.PReLU()

    def part(self, x: Tensor) -> Tensor:
        return self.act(x)


class Branch(Beside):
    """A branch in Python on what the image is."""

    def part(self, x: Tensor) -> Tensor:
        return x.flip(1) if x.mean() > 50 else x


class AsList(Beside):
    """The same through a list, of which no operator tells."""

    def part(self, x: Tensor) -> Tensor:
        return x.flip(1) if max(x.flatten().tolist()) > 50 else x


class OfImage(Beside):
    """A branch on the image itself."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images.flip(1) if bool(images.max() > 50) else images)
