"""A segmentation network, recorded, cut and saved: torchvision's LR-ASPP on made shapes.

    python examples/segmentation.py

records into recordings/shapes and saves small.pt2, a program of the cut network that
`torch.export.load("small.pt2").module()` runs with PyTorch alone. Look at the recording with
`recede import recordings/shapes`, or while it runs with --follow.

Tensor letters: N batch, C channels, H and W pixels.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torchvision.models import mobilenet_v3_small
from torchvision.models.segmentation import LRASPP

import recede

CLASSES = 4  # background, disc, square, diamond
SIZE = 64  # pixels
BATCH = 16
LAM = 1e-4


def shapes(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Noisy images (N, 3, H, W) that hold a shape of each kind, and their classes (N, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    at_H1, at_1W = torch.arange(SIZE).view(SIZE, 1), torch.arange(SIZE).view(1, SIZE)
    x_NCHW = 0.2 * torch.randn(n, 3, SIZE, SIZE, generator=generator)
    classes_NHW = torch.zeros(n, SIZE, SIZE, dtype=torch.int64)
    for x_CHW, classes_HW in zip(x_NCHW, classes_NHW, strict=True):
        for kind in range(1, CLASSES):
            row, column = torch.randint(10, SIZE - 10, (2,), generator=generator).tolist()
            radius = float(torch.randint(8, 14, (1,), generator=generator))
            down_H1, right_1W = (at_H1 - row).abs(), (at_1W - column).abs()
            inside_HW = (
                down_H1**2 + right_1W**2 < radius**2,
                torch.maximum(down_H1, right_1W) < 0.8 * radius,
                down_H1 + right_1W < 1.2 * radius,
            )[kind - 1]
            x_CHW[:, inside_HW] += torch.rand(3, 1, generator=generator) + 0.5
            classes_HW[inside_HW] = kind
    return x_NCHW, classes_NHW


class Backbone(nn.Module):
    """A small MobileNetV3's maps of an eighth and of a sixteenth of the image's size."""

    def __init__(self) -> None:
        super().__init__()
        features = mobilenet_v3_small(weights=None, dilated=True).features
        self.low, self.high = features[:4], features[4:]

    def forward(self, x_NCHW: Tensor) -> dict[str, Tensor]:
        """By the names that LR-ASPP knows."""
        low_NCHW = self.low(x_NCHW)
        return {"low": low_NCHW, "high": self.high(low_NCHW)}


def network() -> nn.Module:
    """LR-ASPP over a small MobileNetV3, untrained; it gives {"out": scores (N, classes, H, W)}."""
    model = LRASPP(Backbone(), low_channels=24, high_channels=576, num_classes=CLASSES)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.1  # torchvision's 0.01 is for far longer trainings
    return model


def mean_iou(model: nn.Module, x_NCHW: Tensor, classes_NHW: Tensor) -> float:
    """Intersection over union, the mean over the classes."""
    model.eval()
    with torch.no_grad():
        parts = [model(part_NCHW)["out"].argmax(1) for part_NCHW in x_NCHW.split(BATCH)]
    pairs = CLASSES * classes_NHW.flatten() + torch.cat(parts).flatten()
    counts = torch.bincount(pairs, minlength=CLASSES**2).view(CLASSES, CLASSES).double()
    both = counts.diagonal()
    return float((both / (counts.sum(0) + counts.sum(1) - both)).nanmean())


def train(
    model: nn.Module, x_NCHW: Tensor, classes_NHW: Tensor, epochs: int, lam: float
) -> Iterator[float]:
    """Train with cross-entropy + lam·Σ|γ|; gives the mean cross-entropy of each epoch."""
    scales = [layer.weight for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(epochs):
        model.train()
        total = 0.0
        for batch_N in torch.split(torch.randperm(len(x_NCHW)), BATCH):
            scores_NCHW = model(x_NCHW[batch_N])["out"]
            loss = nn.functional.cross_entropy(scores_NCHW, classes_NHW[batch_N])
            penalty = lam * torch.cat(scales).abs().sum()
            optimiser.zero_grad()
            (loss + penalty).backward()
            optimiser.step()
            total += float(loss.detach()) * len(batch_N)
        yield total / len(x_NCHW)


def main() -> None:
    """Train, record, cut, fine-tune, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--folder", default="recordings/shapes")
    options = parser.parse_args()

    torch.manual_seed(0)
    trained_on, held_out = shapes(options.images, seed=0), shapes(options.images // 4, seed=1)
    model = network()
    run = recede.watch(
        model,
        trained_on[0][:1],
        folder=options.folder,
        name="Shapes",
        dataset="made shapes",
        metric=recede.Metric(name="mean_iou"),
        evaluate=lambda one: mean_iou(one, *held_out),
        epochs=options.epochs,
    )
    for epoch, loss in enumerate(train(model, *trained_on, options.epochs, LAM), start=1):
        found = mean_iou(model, *held_out)
        run.log(epoch, train_loss=loss, mean_iou=found)
        print(f"epoch {epoch}: mean IoU {found:.3f} on {len(held_out[0])} held-out images")
    run.finish()

    small = recede.cut(model, held_out[0][:2], 0.4)
    before, after = (sum(p.numel() for p in one.parameters()) for one in (model, small))
    print(f"40 % of the neurons cut: {before:,} → {after:,} parameters", end=", ")
    print(f"mean IoU {mean_iou(small, *held_out):.3f}")
    for _ in train(small, *trained_on, max(1, options.epochs // 3), lam=0.0):
        pass
    print(f"fine-tuned: {mean_iou(small, *held_out):.3f}")
    batch = torch.export.Dim("batch", min=1, max=1024)
    two_NCHW = held_out[0][:2].clone()  # they are saved too: as a view, with all other images
    program = torch.export.export(small, (two_NCHW,), dynamic_shapes=({0: batch},))
    torch.export.save(program, "small.pt2")


if __name__ == "__main__":
    main()
