"""A training of somebody's own, small enough to run in every test."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Small(nn.Module):
    """Two convolutions with batch norm, whose channels go alone."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
            nn.Conv2d(8, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(),
        )  # fmt: skip
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(12, 3)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.head(self.drop(self.body(x_NCHW).mean((2, 3))))


def images(n: int = 16) -> Tensor:
    """Made images, the same in every test."""
    return torch.randn(n, 1, 8, 8, generator=torch.Generator().manual_seed(1))


class Training:
    """Steps of SGD on made images."""

    def __init__(self, model: nn.Module | None = None) -> None:
        torch.manual_seed(0)
        self.model = model or Small()
        self._optimiser = torch.optim.SGD(self.model.parameters(), 0.1)

    def epoch(self) -> float:
        """One step; the loss before it."""
        self._optimiser.zero_grad()
        labels = torch.arange(16) % 3
        loss = nn.functional.cross_entropy(self.model(images()), labels)
        loss.backward()
        self._optimiser.step()
        return float(loss.detach())

    def scales(self) -> Tensor:
        """γ of both batch norms, in network order."""
        norms = [m for m in self.model.modules() if isinstance(m, nn.BatchNorm2d)]
        return torch.cat([norm.weight.detach() for norm in norms])
