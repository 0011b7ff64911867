"""Claim: Recede trains at least 2.5 times (VGG-16 × 0.25) and 2 times (full width) as many
images a second on a CPU as the plain loop of the published method, 10 times on a GPU.

Both train the same network on the same made photographs of 32×32 pixels, in turns. A second
table says what a snapshot of the importances costs beside an epoch of 45,000 images.
Run: python -m benchmarks.train_throughput [--device cuda] [--width 0.25 --width 1] [--n 5]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.parts.plain_loop import MEAN, STD, Photographs, plain_epoch
from benchmarks.parts.report import interleaved, machine, ratio, spread
from recede.contract.cut.polarisation import of_snapshot
from recede.contract.spec.run import RunSpec
from recede.store.database.engine import open_store, sqlite_url
from recede.store.experiments import history, runs
from recede_worker.core.norms.importance import raw_scales
from recede_worker.engine.inputs.load import Network, network_for
from recede_worker.engine.inputs.splits import Normalisation, PixelSplit
from recede_worker.engine.training.epoch.precision import resolve
from recede_worker.engine.training.epoch.recipe import make_step
from recede_worker.engine.training.epoch.step import train_epoch
from recede_worker.images.dataset import Augmentation

BATCH, N_EPOCH_IMAGES = 64, 45_000  # as published; CIFAR-10 without a tenth for validation
IMAGES = {"cpu": {0.25: 2560, 1.0: 320}, "cuda": {0.25: 25_600, 1.0: 25_600}}
LAM, SHIFT = 1e-3, 3.0
CLASSES = 10
NORMALISE = Normalisation(tuple(MEAN), tuple(STD))
AUGMENT = Augmentation(pad=4, flip=True)


@dataclass(frozen=True)
class Workload:
    """What both loops train."""

    spec: RunSpec
    train: PixelSplit
    device: torch.device

    @staticmethod
    def of(width: float, n: int, device: torch.device) -> Workload:
        """A VGG-16 of some width and n random photographs."""
        spec = RunSpec(
            dataset="made",
            architecture="vgg16",
            architecture_params={"width": width},
            method="rni",
            method_params={"lam": LAM, "shift": SHIFT},
            batch_size=BATCH,
        )
        generator = torch.Generator().manual_seed(0)
        x_NCHW = torch.randint(0, 256, (n, 3, 32, 32), generator=generator, dtype=torch.uint8)
        split = PixelSplit(x_NCHW, torch.randint(0, CLASSES, (n,), generator=generator))
        return Workload(spec, split, device)

    def network(self) -> Network:
        """The untrained network; equal at every call."""
        return network_for(self.spec, self.train.shape, CLASSES)

    def plain(self) -> Callable[[], None]:
        """One epoch of the reference loop."""
        x_NHWC = self.train.x_NCHW.permute(0, 2, 3, 1).contiguous()
        images = Photographs(x_NHWC, self.train.y_N, AUGMENT.pad)
        return plain_epoch(self.network().model, images, BATCH, self.device, LAM, SHIFT)

    def ours(self) -> tuple[Callable[[], None], Network]:
        """One epoch of the engine's own loop."""
        network = self.network()
        step = make_step(self.spec, network, self.device)
        split = self.train.to(self.device)

        def epoch() -> None:
            batches = split.training_batches(BATCH, AUGMENT, NORMALISE, 1)
            totals = train_epoch(step, batches, lambda _: 0.1, epoch=1, after_step=lambda _: None)
            totals.metrics()  # waits for the device

        return epoch, network


def snapshot_seconds(network: Network, n: int) -> list[float]:
    """Seconds to copy, describe and store the importances of one epoch, n times."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(sqlite_url(Path(folder) / "recede.db"))
        spec = RunSpec(dataset="made", architecture="vgg16", method="rni")
        with store.write() as session:
            run_id = runs.create(session, spec)[0].id
            history.put_network(session, run_id, network.shape)
        metrics = {"val_loss": 1.0, "val_correct": 1, "n_val": 2, "seconds": 1.0}
        taken = []
        for epoch in range(n):
            start = time.perf_counter()
            raw = raw_scales(network.model, list(network.norms.values()), network.shape.sizes)
            described = of_snapshot(network.shape, raw)
            with store.write() as session:
                history.put_epoch(session, run_id, epoch, metrics, raw, described)
            taken.append(time.perf_counter() - start)
        store.close()
    return taken


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--width", type=float, action="append")
    parser.add_argument("--n", type=int, default=5)
    options = parser.parse_args()
    device = torch.device(options.device)
    print(f"{_device_name(device)}; torch {torch.__version__}, {torch.get_num_threads()} threads;")
    print(f"batch {BATCH}, {resolve('auto', device)}, n = {options.n} epochs each, in turns\n")
    print("| VGG-16 × width | images | plain, images/s | Recede, images/s | ratio |")
    print("|---|---|---|---|---|")
    snapshots: list[tuple[float, int, int, list[float], list[float]]] = []
    for width in options.width or [0.25, 1.0]:
        n_images = IMAGES[device.type].get(width, 320)
        workload = Workload.of(width, n_images, device)
        epoch, network = workload.ours()
        slow, fast = interleaved(options.n, workload.plain(), epoch)
        print(
            f"| {width:g} | {n_images} | {_rate(n_images, slow)} | {_rate(n_images, fast)} | "
            f"{ratio(slow, fast):.2f} |"
        )
        seconds = snapshot_seconds(network, 4 * options.n)
        snapshots.append((width, network.shape.n_neurons, n_images, fast, seconds))
    print("\n| VGG-16 × width | neurons | snapshot, ms | of an epoch of 45,000 images |")
    print("|---|---|---|---|")
    for width, neurons, n_images, fast, seconds in snapshots:
        epoch_s = statistics.median(fast) * N_EPOCH_IMAGES / n_images
        share = statistics.median(seconds) / epoch_s
        print(f"| {width:g} | {neurons} | {spread(seconds)} | {share:.3%} |")


def _rate(n: int, seconds: list[float]) -> str:
    low, median, high = statistics.quantiles(seconds, n=4)
    return f"{n / median:,.0f} ({n / high:,.0f} to {n / low:,.0f})"


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else machine()


if __name__ == "__main__":
    main()
