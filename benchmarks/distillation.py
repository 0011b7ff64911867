"""Does a cut network end better if it also learns from the network before the cut?

    python -m benchmarks.distillation [--data FOLDER] [--out FILE] [--seeds 0 1 2]
                                      [--ratios 0.5 0.8] [--epochs 3] [--architecture vgg11]

Through the queue of a real service: for each seed a network is trained with RNI, cut, and each
cut is fine-tuned twice without penalty: by the labels alone, and beside them by the logits of
the uncut network. Both begin with the same weights and see the same images in the same order,
for as many epochs at the same learning rate, so differences are paired by seed. What stands in
the file of results or in the folder of the service is not trained again.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from benchmarks.parts.experiment.options import (
    Subject,
    end_orderly,
    first_training,
    parser,
    positive,
    read,
    say,
    share,
    subject,
)
from benchmarks.parts.experiment.pieces import Piece, Pieces
from benchmarks.parts.experiment.seeds import Paired, mean_and_range, what_seeds_can_show
from benchmarks.parts.experiment.trainings import Trainings
from benchmarks.parts.report import machine
from benchmarks.parts.service import service
from benchmarks.parts.sizes import Spec
from recede.client import Compared, Distill
from recede.contract.validation import in_words

SPLITS = ("validation", "test")
PLAIN, DISTILLED = "plain", "distilled"
RECIPE: Spec = {"method": "rni", "batch_size": 128, "map_budget": 0.0}
TUNING: Spec = {"method_params": {"lam": 0.0}, "lr": 0.02, "schedule": "cosine"}


@dataclass(frozen=True)
class Tuned:
    """One fine-tuning: a way for one seed at one ratio."""

    way: str
    ratio: float
    seed: int
    found: Mapping[str, Any]
    """`macs` left, and accuracies by network (dense, cut, tuned) and split."""


def main() -> None:
    """Train what is missing, then print the tables."""
    options = _options()
    end_orderly()
    results = Pieces(options.out or options.data / "distillation.jsonl", say)
    network = subject(options.architecture, options.cifar10_folder)
    distill: Distill = options.distill
    started = time.monotonic()
    with service(options.data, options.url) as client:
        bench = Bench(Trainings(client, say), results, network, options, distill)
        tuned = [one for seed in options.seeds for one in bench.seed(seed)]
    print(
        f"\n{network.title}; epochs of each fine-tuning: {options.epochs}; teacher's weight "
        f"{distill.weight:g}, temperature {distill.temperature:g}; seeds: {len(options.seeds)}; "
        "accuracy in %, mean (range)\n"
    )
    print("\n".join([*accuracies(tuned), "", *differences(tuned)]))
    print(f"\n{what_seeds_can_show(len(options.seeds))}")
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
    distill: Distill

    def seed(self, seed: int) -> Iterator[Tuned]:
        """Both fine-tunings of every cut; those that failed are left out."""
        begun = {**first_training(self.network, self.options, seed), **RECIPE}
        for ratio in self.options.ratios:
            for way, extra in self._ways():
                plan = {"ratio": ratio}
                tuning = {**TUNING, **extra, "epochs": self.options.epochs}
                asked = {"begun": begun, "plan": plan, "tuning": tuning}
                label = f"seed {seed}, {ratio:.0%} cut, {way}"
                measure = functools.partial(self._fine_tune, label, asked)
                found = self.results.once(label, asked, measure)
                if found is not None:
                    yield Tuned(way, ratio, seed, found)

    def _ways(self) -> Iterator[tuple[str, Spec]]:
        yield PLAIN, {}
        yield DISTILLED, {"distill": self.distill.model_dump()}

    def _fine_tune(self, name: str, asked: Piece) -> Piece:
        begun = asked["begun"]
        parent = self.trainings.finished(f"trained, seed {begun['seed']}", begun)
        self.trainings.without_curve(parent)
        init = {"run": parent.id, "plan": asked["plan"]}
        run = self.trainings.finished(name, {**begun, **asked["tuning"], "init": init})
        self.trainings.without_curve(run)
        compared = self.trainings.client.comparison(run.id)
        costs = {one.network: one.cost for one in compared.networks}
        dense, cut = costs["dense"], costs["cut"]
        assert dense is not None
        assert cut is not None
        return {
            "run": run.id,
            "parent": parent.id,
            "best_epoch": run.best_epoch,
            "ratio": compared.ratio,
            "macs": cut.macs / dense.macs,
            "params": cut.params / dense.params,
            **{one.network: _accuracies(one) for one in compared.networks},
            "validation_by_epoch": self.trainings.validation_accuracies(run),
        }


def _accuracies(network: Compared) -> dict[str, float | None]:
    of = {"validation": network.validation, "test": network.test}
    return {split: None if found is None else found.value for split, found in of.items()}


def accuracies(tuned: Sequence[Tuned]) -> Iterator[str]:
    """Lines of a Markdown table: each cut before and after, on both splits."""
    yield "| cut | MACs left | | dense | as cut | plain | distilled |"
    yield "|---" * 7 + "|"
    for ratio in _ratios(tuned):
        own = [one for one in tuned if one.ratio == ratio]
        macs = statistics.fmean(one.found["macs"] for one in own)
        ways = [[one for one in own if one.way == way] for way in (PLAIN, DISTILLED)]
        for split in SPLITS:
            before = [
                [one.found[network][split] for one in _by_seed(own)]
                for network in ("dense", "cut")
            ]
            after = [[one.found["tuned"][split] for one in way] for way in ways]
            cells = [mean_and_range(values, digits=2) for values in (*before, *after)]
            yield f"| {ratio:.0%} | {macs:.1%} | {split} | " + " | ".join(cells) + " |"


def differences(tuned: Sequence[Tuned]) -> Iterator[str]:
    """Lines of a Markdown table: distilled minus plain in points, seed by seed and in the mean."""
    yield "| cut | | distilled − plain, by seed | mean (95 % t interval), sign |"
    yield "|---" * 4 + "|"
    for ratio in _ratios(tuned):
        for split in SPLITS:
            found = paired([one for one in tuned if one.ratio == ratio], split)
            if found is not None:
                each = ", ".join(f"{difference:+.2f}" for difference in found.differences)
                yield f"| {ratio:.0%} | {split} | {each} | {found} |"


def paired(tuned: Sequence[Tuned], split: str) -> Paired | None:
    """Distilled minus plain for the seeds that have both; None if no seed has."""
    of = {(one.way, one.seed): one.found["tuned"][split] for one in tuned}
    both = [
        (of[DISTILLED, seed], of[PLAIN, seed])
        for way, seed in of
        if way == PLAIN and of.get((DISTILLED, seed)) is not None and of[PLAIN, seed] is not None
    ]
    return Paired(tuple(100 * (new - old) for new, old in both)) if both else None


def _ratios(tuned: Sequence[Tuned]) -> list[float]:
    return list(dict.fromkeys(one.ratio for one in tuned))


def _by_seed(tuned: Sequence[Tuned]) -> list[Tuned]:
    """One of each seed: what is asked of it does not depend on the way."""
    return list({one.seed: one for one in tuned}.values())


def _options() -> argparse.Namespace:
    found = parser(__doc__, "distillation")
    found.add_argument("--epochs", type=positive, default=3, help="of each fine-tuning (3)")
    found.add_argument("--ratios", type=share, nargs="+", default=[0.5, 0.8], help="(0.5 0.8)")
    default = Distill()
    found.add_argument("--weight", type=float, default=default.weight, help="of the teacher (0.9)")
    found.add_argument("--temperature", type=float, default=default.temperature, help="(4)")
    options = read(found)
    try:
        options.distill = Distill(weight=options.weight, temperature=options.temperature)
    except ValidationError as error:
        found.error(str(in_words(error.errors(), Distill, subject="The teacher")))
    return options


if __name__ == "__main__":
    main()
