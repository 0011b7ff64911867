"""Small networks with one kind of joint each, as other people's code has them."""

from __future__ import annotations

import torch
from torch import nn


def unit(width: int, out: int, kernel: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU."""
    conv = nn.Conv2d(width, out, kernel, padding=kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out), nn.ReLU(inplace=True))


class Head(nn.Module):
    """What all of them share: a body for 3 channels, then the mean and a linear layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.stem = unit(3, 8)
        self.head = nn.Linear(width, 5)

    def body(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(self.stem(images)).mean((2, 3)))


class Gated(Head):
    """Wide, depthwise, squeeze-and-excitation, narrow: a block of MobileNet's kind."""

    def __init__(self) -> None:
        super().__init__(6)
        self.wide, self.deep = unit(8, 12), unit(12, 12, 3, groups=12)
        self.squeeze, self.excite = nn.Conv2d(12, 4, 1), nn.Conv2d(4, 12, 1)
        self.narrow = nn.Conv2d(12, 6, 1)

    def body(self, x: torch.Tensor) -> torch.Tensor:
        x = self.deep(self.wide(x))
        gate = torch.relu(self.squeeze(x.mean((2, 3), keepdim=True)))
        return self.narrow(x * torch.sigmoid(self.excite(gate)))


class Grouped(Head):
    """A grouped convolution of 4 groups between two ordinary ones: 3 channels in, 2 out each."""

    def __init__(self) -> None:
        super().__init__(6)
        self.before, self.middle = unit(8, 12), unit(12, 8, 3, groups=4)
        self.after = nn.Conv2d(8, 6, 1)

    def body(self, x: torch.Tensor) -> torch.Tensor:
        return self.after(self.middle(self.before(x)))


class Residual(Head):
    """One residual block: its inner channels are free, those of the stream are not."""

    def __init__(self) -> None:
        super().__init__(8)
        self.inner, self.back = unit(8, 10, 3), nn.Conv2d(10, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)

    def body(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.norm(self.back(self.inner(x))))


class Branches(Head):
    """Several branches side by side: the layer behind reads the channels of all of them."""

    def __init__(self) -> None:
        super().__init__(6)
        self.left, self.first, self.second = unit(8, 4), unit(8, 6), unit(6, 5, 3)
        self.after = nn.Conv2d(9, 6, 1)

    def body(self, x: torch.Tensor) -> torch.Tensor:
        return self.after(torch.cat([self.left(x), self.second(self.first(x))], 1))


class Before(Head):
    """A stream that carries no norm: each layer that reads it normalises for itself."""

    def __init__(self) -> None:
        super().__init__(8)
        self.stem = nn.Conv2d(3, 8, 1, bias=False)
        self.norm1, self.inner = nn.BatchNorm2d(8), unit(8, 10, 3)
        self.back = nn.Conv2d(10, 8, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(8)

    def body(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.back(self.inner(torch.relu(self.norm1(x))))
        return torch.relu(self.norm2(x))


class Parallel(Head):
    """A convolution, a smaller one and the input itself, each normalised, in one sum."""

    def __init__(self) -> None:
        super().__init__(8)
        self.large, self.small = nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.Conv2d(8, 8, 1)
        self.norm1, self.norm2, self.norm3 = (nn.BatchNorm2d(8) for _ in range(3))

    def body(self, x: torch.Tensor) -> torch.Tensor:
        both = self.norm1(self.large(x)) + self.norm2(self.small(x))
        return torch.relu(both + self.norm3(x))


class Padded(Head):
    """A shortcut that fills new channels with zeros: its width cannot shrink."""

    def __init__(self) -> None:
        super().__init__(12)
        self.inner, self.back = unit(8, 10, 3), nn.Conv2d(10, 12, 1, bias=False)
        self.norm = nn.BatchNorm2d(12)

    def body(self, x: torch.Tensor) -> torch.Tensor:
        wider = nn.functional.pad(x, (0, 0, 0, 0, 2, 2))
        return torch.relu(wider + self.norm(self.back(self.inner(x))))


class Shuffled(Head):
    """The channels change places between two layers."""

    def __init__(self) -> None:
        super().__init__(6)
        self.after = unit(8, 6)

    def body(self, x: torch.Tensor) -> torch.Tensor:
        N, _, H, W = x.shape
        return self.after(x.view(N, 2, -1, H, W).transpose(1, 2).reshape(N, -1, H, W))


class Mixed(Head):
    """The channels of the stem compete with each other."""

    def __init__(self) -> None:
        super().__init__(6)
        self.after = unit(8, 6)

    def body(self, x: torch.Tensor) -> torch.Tensor:
        return self.after(x * torch.softmax(x.mean((2, 3), keepdim=True), 1))


class Attending(Mixed):
    """They attend to each other: products that no layer makes."""

    def body(self, x: torch.Tensor) -> torch.Tensor:
        rows = x.flatten(2)
        weights = torch.softmax(rows @ rows.transpose(1, 2), -1)
        return self.after((weights @ rows).view_as(x))


class Shared(Head):
    """One convolution is used twice."""

    def __init__(self) -> None:
        super().__init__(8)
        self.twice = unit(8, 8)

    def body(self, x: torch.Tensor) -> torch.Tensor:
        return self.twice(self.twice(x))


class Fixed(Head):
    """Code that knows a width by heart."""

    def __init__(self) -> None:
        super().__init__(6)
        self.middle = unit(8, 12)
        self.after = nn.Conv2d(12, 6, 1)

    def body(self, x: torch.Tensor) -> torch.Tensor:
        x = self.middle(x)
        return self.after(x.reshape(len(x), 12, x.shape[2], x.shape[3]))


class Shifted(Head):
    """An activation that sends 0 elsewhere: no scale silences the channel."""

    def __init__(self) -> None:
        super().__init__(6)
        self.after = unit(8, 6)

    def body(self, x: torch.Tensor) -> torch.Tensor:
        return self.after(x + 1)


class NormAct(nn.BatchNorm2d):
    """A batch norm with an activation inside, as some libraries have it."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.act = nn.SiLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(super().forward(x))


class Doubled(nn.BatchNorm2d):
    """A batch norm that does something of its own."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(x)
