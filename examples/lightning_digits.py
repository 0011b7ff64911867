"""A training by Lightning's Trainer, recorded and cut: scikit-learn's digits, on one core.

    pip install 'recede[lightning]'
    python examples/lightning_digits.py

records into recordings/digits-lightning and saves small.pt, a state_dict of the cut network. Look
at it with `recede import recordings/digits-lightning`, or while it runs with --follow.
"""

from __future__ import annotations

import argparse

import lightning
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import recede

BATCH = 64
TRAINED_ON = 1437  # the other 360 images are held out
LAM = 1e-3


class Digits(lightning.LightningModule):
    """Three convolutions with batch norm, trained with cross-entropy + lam·Σ|γ|."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((1, 16), (16, 32), (32, 32)):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
        head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))
        self.network = nn.Sequential(*layers, *head)

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """The loss of one batch."""
        x_NCHW, labels_N = batch
        loss = nn.functional.cross_entropy(self.network(x_NCHW), labels_N)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        scales = [m.weight for m in self.network if isinstance(m, nn.BatchNorm2d)]
        return loss + LAM * torch.cat(scales).abs().sum()

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """The share of held-out images that are right."""
        x_NCHW, labels_N = batch
        right_N = self.network(x_NCHW).argmax(1) == labels_N
        self.log("val_accuracy", right_N.float().mean(), prog_bar=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """SGD with momentum."""
        return torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.9)


def digits() -> tuple[TensorDataset, TensorDataset]:
    """1,797 images (N, 1, 8, 8) in [0, 1] and their labels: to train on, and held out."""
    pixels, labels = load_digits(return_X_y=True)
    x_NCHW = torch.tensor(pixels, dtype=torch.float32).view(-1, 1, 8, 8) / 16
    labels_N = torch.tensor(labels)
    return (
        TensorDataset(x_NCHW[:TRAINED_ON], labels_N[:TRAINED_ON]),
        TensorDataset(x_NCHW[TRAINED_ON:], labels_N[TRAINED_ON:]),
    )


def main() -> None:
    """Train, record, cut, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--folder", default="recordings/digits-lightning")
    options = parser.parse_args()

    lightning.seed_everything(0)
    trained_on, held_out = digits()
    x_NCHW, labels_N = held_out.tensors

    def accuracy(network: nn.Module) -> float:
        with torch.no_grad():
            right_N = network.eval()(x_NCHW).argmax(1) == labels_N
        return float(right_N.double().mean())

    callback = recede.LightningCallback(
        folder=options.folder,
        name="Digits, by Lightning",
        dataset="scikit-learn's digits",
        metric=recede.Metric(name="val_accuracy", n=len(held_out)),
        evaluate=accuracy,
    )
    module = Digits()
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_epochs=options.epochs,
        callbacks=[callback],
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
    )
    trainer.fit(
        module,
        DataLoader(trained_on, BATCH, shuffle=True),
        DataLoader(held_out, len(held_out)),
    )

    network = module.network
    small = recede.cut(network, x_NCHW[:8], 0.5)
    before, after = (sum(p.numel() for p in one.parameters()) for one in (network, small))
    print(f"{accuracy(network):.1%} of {len(held_out)} held-out images are right")
    print(f"50 % of the neurons cut: {before:,} → {after:,} parameters, {accuracy(small):.1%}")
    torch.save(small.state_dict(), "small.pt")


if __name__ == "__main__":
    main()
