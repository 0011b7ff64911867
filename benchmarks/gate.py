"""Claim: after a few epochs of RNI behind gates half of a trained network goes without loss.

    python -m benchmarks.gate [--data FOLDER] [--seeds 0 1 2] [--epochs 3]
                              [--cifar10-folder NAME]

Through the queue of a real service: networks with ordinary batch norm are trained without a
penalty, then trained on for a few epochs with gates and RNI, with L1 on γ, and with neither; and
the first ones are cut as they are, by every criterion. Each cut is the real smaller network on
validation images, without any training after it. What the folder holds is not trained again.
Strengths are those that Recede takes by itself, but for L1, which is shown with three.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.parts.report import machine
from benchmarks.parts.service import service
from recede.client import RecedeClient
from recede.contract.schemas import CurveOut, RunOut
from recede.contract.spec.run import IMPORTANCE, Plan
from recede.contract.states import State

RATIOS = (0.2, 0.4, 0.5, 0.6, 0.7)
POLL_S = 1.0
RECIPE = {"batch_size": 128, "schedule": "cosine", "val_fraction": 0.3, "map_budget": 0}
LONE: dict[str, Any] = {"method": "l1", "method_params": {"lam": 0.0}}
ON: dict[str, dict[str, Any]] = {
    "gates, RNI": {"method": "rni", "scale": "gate"},
    "L1, λ 0.001": {"method": "l1", "method_params": {"lam": 0.001}},
    "L1, λ 0.005": {"method": "l1", "method_params": {"lam": 0.005}},
    "L1, λ 0.02": {"method": "l1", "method_params": {"lam": 0.02}},
    "no penalty": LONE,
}


@dataclass(frozen=True)
class Line:
    """One way to the cut on one network: a seed's accuracy of the network and of its cuts."""

    label: str
    dense: float
    cuts: Mapping[float, float]
    """Accuracy by ratio."""
    macs_left: Mapping[float, float]


@dataclass(frozen=True)
class Bench:
    """A service that trains what it has not trained yet."""

    client: RecedeClient

    def run(self, name: str, spec: dict[str, Any]) -> RunOut:
        """The finished run of a spec with its curve; RuntimeError if it failed."""
        whole = {**spec, "name": name}
        key = hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
        run = self.client.create_run(whole, idempotency_key=key).run
        while not run.state.is_final or self._is_busy(run.id):
            time.sleep(POLL_S)
            run = self.client.run(run.id)
        if run.state is not State.SUCCEEDED:
            raise RuntimeError(f"{name}: {run.error.message if run.error else run.state}")
        return run

    def line(self, label: str, run: RunOut, criterion: str = IMPORTANCE) -> Line:
        """What the curve of a run says, by a criterion, at its best epoch."""
        curve = self._curve(run, criterion)
        near = {ratio: min(curve.points, key=lambda p: abs(p.ratio - ratio)) for ratio in RATIOS}
        dense = self._macs(run, criterion, 0.0)
        left = {
            ratio: self._macs(run, criterion, point.ratio) / dense for ratio, point in near.items()
        }
        cuts = {ratio: point.accuracy.value for ratio, point in near.items()}
        return Line(label, curve.points[0].accuracy.value, cuts, left)

    def _macs(self, run: RunOut, criterion: str, ratio: float) -> int:
        plan = Plan(ratio=ratio, criterion=criterion)
        return self.client.preview(run.id, plan).cost.macs

    def _curve(self, run: RunOut, criterion: str) -> CurveOut:
        known = self.client.curve(run.id, criterion=criterion)
        if known.points:
            return known
        self.client.compute_scores(run.id, criterion)
        self._wait(run)
        self.client.measure_curve(run.id, criterion=criterion)
        self._wait(run)
        return self.client.curve(run.id, criterion=criterion)

    def _wait(self, run: RunOut) -> None:
        while self._is_busy(run.id):
            time.sleep(POLL_S)

    def _is_busy(self, run_id: str) -> bool:
        return any(not job.state.is_final for job in self.client.jobs(run_id=run_id).items)


def main() -> None:
    """Train what is missing, then print the table."""
    # So that a terminated benchmark ends its service too; what is trained stays in the folder.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = _options()
    started = time.monotonic()
    with service(options.data, options.url) as client:
        bench = Bench(client)
        for title, spec in _networks(options.cifar10_folder):
            lines = [
                line
                for seed in options.seeds
                for line in _lines(bench, spec, seed, options.epochs)
            ]
            print(f"\n{title}, {options.epochs} epochs after training, n = {len(options.seeds)}\n")
            print("\n".join(_table(lines)), flush=True)
    print(f"\n{machine()}; {(time.monotonic() - started) / 60:.0f} minutes in this process")


def _networks(cifar10: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    vgg = {"architecture": "vgg11", "architecture_params": {"width": 0.25}}
    yield "VGG-11 × 0.25 on Fashion-MNIST", {"dataset": "fashion-mnist", **vgg, "epochs": 4}
    if cifar10 is not None:
        resnet = {"architecture": "resnet20", "architecture_params": {"width": 0.5}}
        images = {"dataset": "folder", "dataset_params": {"path": cifar10}}
        yield "ResNet-20 × 0.5 on CIFAR-10", {**images, **resnet, "epochs": 8}


def _lines(bench: Bench, network: dict[str, Any], seed: int, epochs: int) -> Iterator[Line]:
    begun = {**network, **RECIPE, **LONE, "seed": seed, "lr": 0.1}
    first = bench.run(f"trained, seed {seed}", begun)
    criteria = [found.name for found in bench.client.catalog().criteria]
    for criterion in criteria:
        yield bench.line(f"as it is, by {criterion}", first, criterion)
    for label, method in ON.items():
        spec = {**begun, **method, "init": {"run": first.id}, "epochs": epochs, "lr": 0.02}
        if "method_params" not in method:
            del spec["method_params"]
        run = bench.run(f"{label}, seed {seed}", spec)
        yield bench.line(label, run)
        _say(f"{label}, seed {seed}: lossless to {run.lossless_ratio or 0:.0%}")


def _table(lines: Sequence[Line]) -> Iterator[str]:
    yield "| | uncut | " + " | ".join(f"{ratio:.0%} cut" for ratio in RATIOS) + " |"
    yield "|---" * (2 + len(RATIOS)) + "|"
    for label in dict.fromkeys(line.label for line in lines):
        own = [line for line in lines if line.label == label]
        cells = [_mean([line.dense for line in own])]
        for ratio in RATIOS:
            left = statistics.mean(line.macs_left[ratio] for line in own)
            cells.append(f"{_mean([line.cuts[ratio] for line in own])} at {left:.0%}")
        yield f"| {label} | " + " | ".join(cells) + " |"


def _mean(values: Sequence[float]) -> str:
    spread = f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * statistics.mean(values):.1f}{spread}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("gate"), help="folder of the service")
    parser.add_argument("--url", help="use this running service instead of starting one")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=3, help="after the training")
    parser.add_argument("--cifar10-folder", help="class folders with CIFAR-10, by name")
    return parser.parse_args()


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    main()
