"""The reference of train_throughput: training as it was published, one thing at a time.

A loader with one worker process and PIL transforms, float32, channels first, SGD without
fusion, and a penalty that is summed layer by layer in Python.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from recede_worker.core.norms.bounded import BoundedBatchNorm2d
from recede_worker.core.norms.regularisers import receding

MEAN, STD = [0.49, 0.48, 0.45], [0.25, 0.24, 0.26]


class Photographs(Dataset[tuple[Tensor, int]]):
    """Images in memory that become PIL images, one by one, as torchvision's CIFAR-10 does."""

    def __init__(self, x_NHWC: Tensor, y_N: Tensor, pad: int) -> None:
        self.pixels, self.labels = x_NHWC.numpy(), y_N.tolist()
        size = x_NHWC.shape[1]
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(size, padding=pad),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(MEAN, STD),
            ]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.pixels[index])), self.labels[index]


def plain_epoch(
    model: nn.Module,
    images: Photographs,
    batch_size: int,
    device: torch.device,
    lam: float,
    shift: float,
) -> Callable[[], None]:
    """A function that trains one epoch; the loader's process stays between two calls."""
    loader = DataLoader(
        images, batch_size, shuffle=True, num_workers=1, persistent_workers=True, drop_last=True
    )
    model.to(device).train()
    norms = [m for m in model.modules() if isinstance(m, BoundedBatchNorm2d)]
    chosen = {id(norm.weight) for norm in norms}
    others = [p for p in model.parameters() if p.requires_grad and id(p) not in chosen]
    scales: dict[str, Any] = {
        "params": [norm.weight for norm in norms],
        "lr": 1.0,
        "weight_decay": 0.0,
    }
    optimiser = torch.optim.SGD(
        [{"params": others}, scales], lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True
    )

    def epoch() -> None:
        for x_BCHW, y_B in loader:
            optimiser.zero_grad()
            logits_BK = model(x_BCHW.to(device))
            loss = functional.cross_entropy(logits_BK, y_B.to(device))
            for norm in norms:
                loss = loss + lam * receding(norm.weight, shift)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            loss.item()

    return epoch
