"""A small network that reads digits, as ONNX in float and INT8; one layer may suffer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional

from recede_worker.engine.checkpoints.export import program_of
from recede_worker.engine.checkpoints.onnx_file import write_onnx
from recede_worker.engine.inputs.splits import Normalisation, PixelSplit
from recede_worker.engine.quantisation.static import calibration_batches, quantise

NORMALISE = Normalisation((0.3,), (0.4,))
OUTLIER = 1e4


@dataclass(frozen=True)
class Files:
    """The float network and its INT8 file, and the images to calibrate and to measure with."""

    source: Path
    target: Path
    train: PixelSplit
    rest: PixelSplit


@lru_cache(maxsize=1)
def images() -> tuple[PixelSplit, PixelSplit]:
    pixels, labels = load_digits(return_X_y=True)
    x_NCHW = torch.tensor(pixels).view(-1, 1, 8, 8).mul(15).to(torch.uint8)
    whole = PixelSplit(x_NCHW, torch.tensor(labels))
    order = torch.randperm(len(whole), generator=torch.Generator().manual_seed(0))
    return whole.pick(order[:1200]), whole.pick(order[1200:])


class Residual(nn.Module):
    """Four convolutions, one of them beside a shortcut, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(1, 12, 3, padding=1)
        self.b = nn.Conv2d(12, 16, 3, padding=1)
        self.c = nn.Conv2d(16, 16, 3, padding=1)
        self.d = nn.Conv2d(16, 16, 3, padding=1)
        self.head = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.b(functional.relu(self.a(x))))
        x = functional.max_pool2d(functional.relu(self.c(x)), 2)
        x = functional.relu(x + self.d(x))
        return self.head(x.mean((2, 3)))


@lru_cache(maxsize=1)
def trained() -> dict[str, Tensor]:
    train, _ = images()
    torch.manual_seed(0)
    model = Residual()
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    x_NCHW = NORMALISE.apply(train.x_NCHW)
    for step in range(240):
        at = torch.arange(step * 100, step * 100 + 100) % len(train)
        loss = functional.cross_entropy(model(x_NCHW[at]), train.y_N[at])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return {name: tensor.detach() for name, tensor in model.state_dict().items()}


def network(*, suffers: bool) -> Residual:
    """The trained network; if `c` suffers, one of the channels that it reads dwarfs the others.

    The channel is scaled up in `b` and down again in `c`: in float nothing changes.
    """
    model = Residual().eval()
    model.load_state_dict(trained())
    if suffers:
        with torch.no_grad():
            model.b.weight[0] *= OUTLIER
            model.b.bias[0] *= OUTLIER
            model.c.weight[:, 0] /= OUTLIER
    return model


def written(folder: Path, *, suffers: bool) -> Files:
    train, rest = images()
    files = Files(folder / "model.onnx", folder / "model-int8.onnx", train, rest)
    program = program_of(network(suffers=suffers), NORMALISE.apply(train.head(2)))
    write_onnx(program, files.source, {"classes": "[]"})
    quantise(files.source, files.target, calibration_batches(train, NORMALISE, 0))
    return files
