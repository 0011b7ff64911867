"""What recede.watch costs a training: epochs with and without it, in turns.

Claim: recording an epoch takes under 1 % of it. Baseline: the same loop, network and images
without it; both end with the same weights.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

import recede
from benchmarks.parts.report import interleaved, machine, ratio, spread

BATCH = 128


def network() -> nn.Module:
    """Six convolutions with batch norm for images of 32×32 pixels, 0.29 M parameters."""
    layers: list[nn.Module] = []
    before = 3
    for place, after in enumerate((32, 32, 64, 64, 128, 128)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if place % 2 else []
        before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 10))


class Loop:
    """A plain training loop over made images."""

    def __init__(self, steps: int) -> None:
        torch.manual_seed(0)
        self.model = network()
        self._optimiser = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9)
        generator = torch.Generator().manual_seed(1)
        self.x_NCHW = torch.randn(steps * BATCH, 3, 32, 32, generator=generator)
        self._labels_N = torch.randint(10, (steps * BATCH,), generator=generator)

    def epoch(self) -> float:
        """One pass over the images; the last loss."""
        loss = torch.zeros(())
        batches = zip(
            torch.split(self.x_NCHW, BATCH), torch.split(self._labels_N, BATCH), strict=True
        )
        for x_BCHW, labels_B in batches:
            self._optimiser.zero_grad()
            loss = nn.functional.cross_entropy(self.model(x_BCHW), labels_B)
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
        return float(loss.detach())

    def weights(self) -> list[Tensor]:
        """All that it has learnt."""
        return list(self.model.state_dict().values())


def recorded(loop: Loop, folder: Path, logs_s: list[float]) -> Callable[[], None]:
    """An epoch of that loop with its log; the time of each log is added to `logs_s`."""
    run = recede.watch(loop.model, loop.x_NCHW[:1], folder=folder, metric="loss")

    def epoch() -> None:
        loss = loop.epoch()
        start = time.perf_counter()
        run.log(loss=loss)
        logs_s.append(time.perf_counter() - start)

    return epoch


def main() -> None:
    """Print the two times, their ratio, and the time of a log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=8, help="epochs of each")
    parser.add_argument("--steps", type=int, default=20, help="steps of an epoch")
    options = parser.parse_args()
    print(machine())
    alone, watched = Loop(options.steps), Loop(options.steps)
    logs_s: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        epoch = recorded(watched, Path(folder) / "run", logs_s)
        plain_s, watched_s = interleaved(options.n, alone.epoch, epoch)
    same = all(torch.equal(a, b) for a, b in zip(alone.weights(), watched.weights(), strict=True))
    assert same, "a recorded training ends with other weights"
    print(f"n = {options.n} epochs of {options.steps} steps, batch {BATCH}, in turns")
    print(f"without: {spread(plain_s, 1)} s an epoch")
    print(f"with:    {spread(watched_s, 1)} s an epoch, {ratio(watched_s, plain_s):.4f}×")
    share = statistics.median(logs_s) / statistics.median(plain_s)
    print(f"a log:   {spread(logs_s)} ms, {share:.2%} of an epoch")
    print(f"that of an epoch of a minute: {statistics.median(logs_s) / 60:.3%}")


if __name__ == "__main__":
    main()
