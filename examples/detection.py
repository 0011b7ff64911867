"""A detector, recorded, cut and fine-tuned: torchvision's SSDlite on made shapes.

    python examples/detection.py

records into recordings/boxes and saves small.pt, a state_dict of the cut detector. Look at the
recording with `recede import recordings/boxes`, or while it runs with --follow.

A detector gives a list of the boxes that it chose, or losses while it trains. It is recorded and
cut by what comes before: see `Raw`.

Tensor letters: N batch, C channels, H and W pixels, B boxes, 4 corners (left, top, right, bottom).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torchvision.models.detection import ssdlite320_mobilenet_v3_large
from torchvision.ops import box_iou

import recede

CLASSES = 3  # background, disc, square
SIZE = 128  # pixels
BATCH = 16
LAM = 1e-4

Target = dict[str, Tensor]
"""`boxes` (B, 4) and `labels` (B,); of found ones also `scores` (B,)."""


def shapes(n: int, seed: int) -> tuple[Tensor, list[Target]]:
    """Noisy images (N, 3, H, W) in [0, 1] with a disc and a square each, and where these are."""
    generator = torch.Generator().manual_seed(seed)
    at_H1, at_1W = torch.arange(SIZE).view(SIZE, 1), torch.arange(SIZE).view(1, SIZE)
    x_NCHW = 0.3 * torch.rand(n, 3, SIZE, SIZE, generator=generator)
    targets: list[Target] = []
    for x_CHW in x_NCHW:
        boxes = []
        for kind in range(1, CLASSES):
            row, column = torch.randint(28, SIZE - 28, (2,), generator=generator).tolist()
            radius = int(torch.randint(14, 28, (1,), generator=generator))
            down_H1, right_1W = (at_H1 - row).abs(), (at_1W - column).abs()
            disc_HW = down_H1**2 + right_1W**2 <= radius**2
            square_HW = torch.maximum(down_H1, right_1W) <= radius
            colour_C1 = 0.5 + 0.5 * torch.rand(3, 1, generator=generator)
            x_CHW[:, disc_HW if kind == 1 else square_HW] = colour_C1
            boxes.append([column - radius, row - radius, column + radius, row + radius])
        targets.append({"boxes": torch.tensor(boxes).float(), "labels": torch.tensor([1, 2])})
    return x_NCHW, targets


def detector() -> nn.Module:
    """SSDlite over MobileNetV3, untrained, for images of 128×128 pixels."""
    model = ssdlite320_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=CLASSES, detections_per_img=20
    )
    model.transform.min_size, model.transform.max_size = (SIZE,), SIZE
    model.transform.fixed_size = (SIZE, SIZE)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.1  # torchvision's 0.03 is for far longer trainings
    return model


class Raw(nn.Module):
    """What a detector's last layers make of images, before boxes are chosen: tensors alone."""

    def __init__(self, inside: nn.Module) -> None:
        super().__init__()
        self.detector = inside

    def forward(self, x_NCHW: Tensor) -> dict[str, Tensor]:
        """Offsets (N, anchors, 4) and scores (N, anchors, classes)."""
        return self.detector.head(list(self.detector.backbone(x_NCHW).values()))


def mean_average_precision(model: nn.Module, x_NCHW: Tensor, targets: list[Target]) -> float:
    """The area under precision over recall at an IoU of 0.5, the mean over the classes."""
    model.eval()
    with torch.no_grad():
        found = [one for part_NCHW in x_NCHW.split(BATCH) for one in model(list(part_NCHW))]
    return sum(average_precision(found, targets, k) for k in range(1, CLASSES)) / (CLASSES - 1)


def average_precision(found: list[Target], targets: list[Target], label: int) -> float:
    """That of one class: the best found box is right that hits one which none hit before."""
    scored: list[tuple[float, bool]] = []
    n_there = 0
    for mine, theirs in zip(found, targets, strict=True):
        there_B4 = theirs["boxes"][theirs["labels"] == label]
        n_there += len(there_B4)
        free_B = torch.ones(len(there_B4), dtype=torch.bool)
        ours = mine["labels"] == label
        for score, overlap_B in zip(
            mine["scores"][ours], box_iou(mine["boxes"][ours], there_B4), strict=True
        ):  # torchvision gives the best first
            best = int(overlap_B.argmax())
            right = bool(overlap_B[best] >= 0.5 and free_B[best])
            free_B[best] &= not right
            scored.append((float(score), right))
    if not scored:
        return 0.0
    right = torch.tensor([hit for _, hit in sorted(scored, key=lambda one: -one[0])]).double()
    precision = right.cumsum(0) / torch.arange(1, len(right) + 1)
    highest = precision.flip(0).cummax(0).values.flip(0)  # at this recall or beyond
    return float((highest * right).sum() / n_there)


def train(
    model: nn.Module, x_NCHW: Tensor, targets: list[Target], epochs: int, lam: float
) -> Iterator[float]:
    """Train with the detector's losses + lam·Σ|γ|; gives the mean loss of each epoch."""
    scales = [layer.weight for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(epochs):
        model.train()
        total = 0.0
        for batch_N in torch.split(torch.randperm(len(x_NCHW)), BATCH):
            losses = model(list(x_NCHW[batch_N]), [targets[i] for i in batch_N.tolist()])
            loss = torch.stack(list(losses.values())).sum()
            penalty = lam * torch.cat(scales).abs().sum()
            optimiser.zero_grad()
            (loss + penalty).backward()
            optimiser.step()
            total += float(loss.detach()) * len(batch_N)
        yield total / len(x_NCHW)


def main() -> None:
    """Train, record, cut, fine-tune, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--images", type=int, default=384)
    parser.add_argument("--folder", default="recordings/boxes")
    options = parser.parse_args()

    torch.manual_seed(0)
    trained_on, held_out = shapes(options.images, seed=0), shapes(options.images // 4, seed=1)
    model = detector()
    raw = Raw(model)
    run = recede.watch(
        raw,
        trained_on[0][:1],
        folder=options.folder,
        name="Boxes",
        dataset="made shapes",
        metric=recede.Metric(name="map_50"),
        evaluate=lambda one: mean_average_precision(one.detector, *held_out),
        epochs=options.epochs,
    )
    for epoch, loss in enumerate(train(model, *trained_on, options.epochs, LAM), start=1):
        found = mean_average_precision(model, *held_out)
        run.log(epoch, train_loss=loss, map_50=found)
        print(f"epoch {epoch}: mAP {found:.3f} on {len(held_out[0])} held-out images", flush=True)
    run.finish()

    small = recede.cut(raw, held_out[0][:2], 0.3).detector
    before, after = (sum(p.numel() for p in one.parameters()) for one in (model, small))
    print(f"30 % of the neurons cut: {before:,} → {after:,} parameters", end=", ")
    print(f"mAP {mean_average_precision(small, *held_out):.3f}")
    for _ in train(small, *trained_on, max(1, options.epochs // 3), lam=0.0):
        pass
    print(f"fine-tuned: {mean_average_precision(small, *held_out):.3f}")
    torch.save(small.state_dict(), "small.pt")


if __name__ == "__main__":
    main()
