"""A training loop of one's own, recorded, cut and fine-tuned: scikit-learn's digits, on one core.

    python examples/plain_loop.py

records into recordings/digits and saves small.pt, a state_dict of the cut network. Look at it with
`recede import recordings/digits`, or while it runs with --follow.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

import recede

BATCH = 64
TRAINED_ON = 1437  # the other 360 images are held out


def network() -> nn.Sequential:
    """Three convolutions with batch norm, for images of 8×8 pixels."""
    layers: list[nn.Module] = []
    for before, after in ((1, 16), (16, 32), (32, 32)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))


def digits() -> tuple[Tensor, Tensor]:
    """1,797 images (N, 1, 8, 8) in [0, 1] and their labels."""
    pixels, labels = load_digits(return_X_y=True)
    x_NCHW = torch.tensor(pixels, dtype=torch.float32).view(-1, 1, 8, 8) / 16
    return x_NCHW, torch.tensor(labels)


def train(
    model: nn.Module, x_NCHW: Tensor, labels_N: Tensor, epochs: int, lam: float
) -> Iterator[float]:
    """Train with cross-entropy + lam·Σ|γ|; gives the mean cross-entropy of each epoch."""
    scales = [layer.weight for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(epochs):
        model.train()
        total = 0.0
        for batch_N in torch.split(torch.randperm(len(labels_N)), BATCH):
            loss = nn.functional.cross_entropy(model(x_NCHW[batch_N]), labels_N[batch_N])
            penalty = lam * torch.cat(scales).abs().sum()
            optimiser.zero_grad()
            (loss + penalty).backward()
            optimiser.step()
            total += float(loss.detach()) * len(batch_N)
        yield total / len(labels_N)


def main() -> None:
    """Train, record, cut, fine-tune, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--folder", default="recordings/digits")
    options = parser.parse_args()

    torch.manual_seed(0)
    x_NCHW, labels_N = digits()
    held_out_NCHW, held_out_N = x_NCHW[TRAINED_ON:], labels_N[TRAINED_ON:]
    x_NCHW, labels_N = x_NCHW[:TRAINED_ON], labels_N[:TRAINED_ON]
    model = network()

    def accuracy(one: nn.Module) -> float:
        one.eval()
        with torch.no_grad():
            right = one(held_out_NCHW).argmax(1) == held_out_N
        return float(right.double().mean())

    run = recede.watch(
        model,
        x_NCHW[:8],
        folder=options.folder,
        name="Digits, own loop",
        dataset="scikit-learn's digits",
        metric=recede.Metric(name="val_accuracy", n=len(held_out_N)),
        evaluate=accuracy,
        epochs=options.epochs,
    )
    losses = train(model, x_NCHW, labels_N, options.epochs, lam=1e-3)
    for epoch, loss in enumerate(losses, start=1):
        found = accuracy(model)
        run.log(epoch, train_loss=loss, val_accuracy=found)
        print(f"epoch {epoch}: {found:.1%} of {len(held_out_N)} held-out images")
    run.finish()

    small = recede.cut(model, x_NCHW[:8], 0.5)
    before, after = (sum(p.numel() for p in one.parameters()) for one in (model, small))
    print(f"50 % of the neurons cut: {before:,} → {after:,} parameters, {accuracy(small):.1%}")
    for _ in train(small, x_NCHW, labels_N, max(1, options.epochs // 3), lam=0.0):
        pass
    print(f"fine-tuned: {accuracy(small):.1%}")
    torch.save(small.state_dict(), "small.pt")


if __name__ == "__main__":
    main()
