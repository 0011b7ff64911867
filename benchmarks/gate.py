"""Claim: after a few epochs of RNI behind gates half of a trained network goes without loss.

    python -m benchmarks.gate [--data FOLDER] [--out FILE] [--seeds 0 1 2] [--epochs 3]
                              [--architecture resnet20] [--cifar10-folder NAME]

Through the queue of a real service: a network with ordinary batch norm is trained without a
penalty, then trained on for a few epochs with gates and RNI, with L1 on γ, and with neither; and
the first one is cut as it is, by every criterion. Each cut is the real smaller network on all
validation images, without any training after it: at equal shares of the neurons, and at equal
multiply-adds. What stands in the file of results or in the folder of the service is not done
again. Strengths are those that Recede takes by itself, but for L1, which is shown with three.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.parts.experiment.options import (
    Subject,
    end_orderly,
    first_training,
    parser,
    positive,
    read,
    say,
    subject,
)
from benchmarks.parts.experiment.pieces import Piece, Pieces
from benchmarks.parts.experiment.seeds import mean_and_range
from benchmarks.parts.experiment.trainings import Trainings
from benchmarks.parts.report import machine
from benchmarks.parts.service import service
from benchmarks.parts.sizes import Spec
from recede.contract.schemas import RunOut
from recede.contract.spec.run import IMPORTANCE, Plan

RATIOS = (0.2, 0.4, 0.5, 0.6, 0.7)
MACS = (0.7, 0.5, 0.4, 0.3, 0.2)
RECIPE: Spec = {"batch_size": 128, "schedule": "cosine", "val_fraction": 0.3, "map_budget": 0.0}
LONE: Spec = {"method": "l1", "method_params": {"lam": 0.0}}
ON: dict[str, Spec] = {
    "gates, RNI": {"method": "rni", "scale": "gate"},
    "L1, λ 0.001": {"method": "l1", "method_params": {"lam": 0.001}},
    "L1, λ 0.005": {"method": "l1", "method_params": {"lam": 0.005}},
    "L1, λ 0.02": {"method": "l1", "method_params": {"lam": 0.02}},
    "no penalty": LONE,
}


@dataclass(frozen=True)
class Line:
    """One way to the cut for one seed."""

    label: str
    found: Mapping[str, Any]
    """`uncut` accuracy, `by_epoch`, and under `neurons` and `macs` the cuts that were asked for,
    each with `asked`, `accuracy` and the share of `macs` left."""


def main() -> None:
    """Train what is missing, then print the tables."""
    options = _options()
    end_orderly()
    results = Pieces(options.out or options.data / "gate.jsonl", say)
    network = subject(options.architecture, options.cifar10_folder)
    started = time.monotonic()
    with service(options.data, options.url) as client:
        bench = Bench(Trainings(client, say), results, network, options)
        lines = [line for seed in options.seeds for line in bench.seed(seed)]
    print(
        f"\n{network.title}; epochs after the training: {options.epochs}; seeds: "
        f"{len(options.seeds)}; validation accuracy in %, mean (range)\n"
        "\nAt equal neurons, with the multiply-adds left:\n"
    )
    print("\n".join([*by_neurons(lines), "", "At equal multiply-adds:", "", *by_macs(lines)]))
    minutes = (time.monotonic() - started) / 60
    print(f"\n{machine()}; {minutes:.0f} minutes in this process")
    results.conclude()


@dataclass(frozen=True)
class Bench:
    """Where the trainings go, and of what."""

    trainings: Trainings
    results: Pieces
    network: Subject
    options: argparse.Namespace

    def seed(self, seed: int) -> Iterator[Line]:
        """Every way for one seed; those that failed are left out."""
        begun = {**first_training(self.network, self.options, seed), **RECIPE, **LONE}
        for criterion in self.trainings.client.catalog().criteria:
            if criterion.name != IMPORTANCE:  # of L1 it is the scale, which comes by itself
                label = f"as it is: {criterion.label}"
                yield from self._line(label, begun, None, criterion.name)
        for label, method in ON.items():
            on = {**method, "epochs": self.options.epochs, "lr": 0.02}
            yield from self._line(label, begun, on, IMPORTANCE)

    def _line(self, label: str, begun: Spec, on: Spec | None, criterion: str) -> Iterator[Line]:
        cuts = {"neurons": RATIOS, "macs": MACS}
        asked = {"begun": begun, "on": on, "criterion": criterion, "cuts": cuts}
        name = f"{label}, seed {begun['seed']}"
        found = self.results.once(name, asked, lambda: self._found(name, begun, on, criterion))
        if found is not None:
            yield Line(label, found)

    def _found(self, name: str, begun: Spec, on: Spec | None, criterion: str) -> Piece:
        run = self.trainings.finished(f"trained, seed {begun['seed']}", begun)
        if on is not None:
            kept = {field: value for field, value in begun.items() if field != "method_params"}
            run = self.trainings.finished(name, {**kept, **on, "init": {"run": run.id}})
        run = self.trainings.with_curve(run)
        self.trainings.score(run, criterion)
        dense = self.trainings.macs(run)
        return {
            "run": run.id,
            "uncut": run.val_accuracy and run.val_accuracy.value,
            "by_epoch": self.trainings.validation_accuracies(run),
            "best_epoch": run.best_epoch,
            "lossless": run.lossless_ratio,
            "neurons": [
                self._cut(run, ask, Plan(ratio=ask, criterion=criterion), dense) for ask in RATIOS
            ],
            "macs": [
                self._cut(run, ask, self.trainings.plan(run, criterion, ask), dense)
                for ask in MACS
            ],
        }

    def _cut(self, run: RunOut, asked: float, plan: Plan | None, dense_macs: int) -> Piece:
        if plan is None:
            return {"asked": asked, "accuracy": None, "macs": None}
        cut = self.trainings.measured(run, plan)
        return {
            "asked": asked,
            "ratio": cut.ratio,
            "accuracy": cut.accuracy.value,
            "macs": cut.cost.macs / dense_macs,
        }


def by_neurons(lines: Sequence[Line]) -> Iterator[str]:
    """Lines of a Markdown table over the share of neurons that goes, with multiply-adds left."""
    heads = [f"{ratio:.0%} cut" for ratio in RATIOS]
    yield "| | first epoch | uncut | lossless to | " + " | ".join(heads) + " |"
    yield "|---" * (4 + len(heads)) + "|"
    for label, own in _by_label(lines):
        trained = [of for of in own if label in ON]  # else it is the first network, as it is
        cells = [
            mean_and_range([of["by_epoch"][1] for of in trained]),
            mean_and_range([of["uncut"] for of in own]),
            mean_and_range([of["lossless"] for of in trained]),
        ]
        for place in range(len(RATIOS)):
            cuts = [of["neurons"][place] for of in own]
            left = statistics.fmean(cut["macs"] for cut in cuts)
            cells.append(f"{mean_and_range([cut['accuracy'] for cut in cuts])} at {left:.0%}")
        yield f"| {label} | " + " | ".join(cells) + " |"


def by_macs(lines: Sequence[Line]) -> Iterator[str]:
    """The same over multiply-adds: the largest cut networks that have at most so many."""
    heads = [f"{share:.0%} of MACs" for share in MACS]
    yield "| | uncut | " + " | ".join(heads) + " |"
    yield "|---" * (2 + len(heads)) + "|"
    for label, own in _by_label(lines):
        cells = [mean_and_range([of["uncut"] for of in own])]
        for place in range(len(MACS)):
            cuts = [of["macs"][place] for of in own]
            cells.append(mean_and_range([cut["accuracy"] for cut in cuts]))
        yield f"| {label} | " + " | ".join(cells) + " |"


def _by_label(lines: Sequence[Line]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    for label in dict.fromkeys(line.label for line in lines):
        yield label, [line.found for line in lines if line.label == label]


def _options() -> argparse.Namespace:
    found = parser(__doc__, "gate")
    found.add_argument("--epochs", type=positive, default=3, help="after the training (3)")
    return read(found)


if __name__ == "__main__":
    main()
