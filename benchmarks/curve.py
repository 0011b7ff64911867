"""The accuracy curve of 100 ratios, against cutting and evaluating the whole split at each.

    python -m benchmarks.curve [FOLDER [DATA_ROOT [ROUNDS [EVERY]]]]

Claim: a curve of 100 ratios to ± 0.5 points costs at most 8 evaluations of the dense network on
the same split. Baseline: cut at each ratio and evaluate the whole split; it is timed at every
EVERY-th ratio (10) and scaled. The network is trained once and kept in FOLDER, if there is one;
Fashion-MNIST lies under DATA_ROOT or is fetched. Times are those of the processor, with one
thread, so that other programs disturb them little. Before anything is timed, the job's own exact
mode gives the true curve.
"""

from __future__ import annotations

import fcntl
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from sqlalchemy import delete, select

from benchmarks.parts.report import machine, ratio, spread
from recede.contract.measuring.accuracy import lossless_ratio
from recede.contract.spec.run import (
    CurvePayload,
    Plan,
    RunSpec,
)
from recede.contract.states import (
    JobKind,
    Lane,
    State,
)
from recede.store.database.engine import (
    Store,
    open_store,
    sqlite_url,
)
from recede.store.experiments import runs
from recede.store.queue import jobs
from recede.store.queue import lease as leases
from recede.store.results import curves
from recede.store.tables.cuts import CurvePointRow, PredictionRow
from recede.store.tables.runs import EvaluationRow, RunRow
from recede_worker.engine.evaluation.accuracy import evaluate
from recede_worker.engine.evaluation.cache import Cache
from recede_worker.engine.evaluation.ranking import select_channels
from recede_worker.engine.evaluation.trained_epoch import TrainedEpoch, load_trained_epoch
from recede_worker.engine.inputs.run import run_inputs
from recede_worker.engine.job.handle import JobHandle
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.engine.supervisor.dispatch import perform

SPEC = RunSpec(
    dataset="fashion-mnist",
    architecture="vgg16",
    architecture_params={"width": 0.25},
    method="rni",
    method_params={"lam": 0.05, "shift": 3.0},
    epochs=4,
    batch_size=128,
)
RATIOS = CurvePayload().ratios
HOUR_S = 3600.0


@dataclass
class Bench:
    """One store with one trained run, whose jobs run in this process."""

    settings: WorkerSettings
    store: Store
    cache: Cache

    @contextmanager
    def job(self) -> Iterator[JobHandle]:
        """The next job of the queue, ended afterwards."""
        with self.store.write() as session:
            lease = leases.claim(
                session, owner="bench", lanes=list(Lane), device="cpu", lease_s=24 * HOUR_S
            )
        assert lease is not None
        yield JobHandle(
            self.store,
            lease,
            lambda text: print(f"  {text}", file=sys.stderr),
            lambda _progress: None,
        )
        with self.store.write() as session:
            leases.finish(session, lease, State.SUCCEEDED, result={})

    def trained(self) -> str:
        """The run, trained now if it was not yet."""
        with self.store.read() as session:
            run = session.scalars(select(RunRow).filter_by(state=State.SUCCEEDED.value)).first()
        if run is None:
            with self.store.write() as session:
                run, _ = runs.create(session, SPEC)
            with self.job() as job:
                perform(job, run_inputs(job, self.settings), self.cache)
        return run.id

    def queue(self, run_id: str, payload: CurvePayload) -> None:
        """A curve job, with nothing known of the cuts or of the dense network's predictions."""
        with self.store.write() as session:
            for table in (CurvePointRow, EvaluationRow, PredictionRow):
                session.execute(delete(table))
            jobs.enqueue(session, run_id, JobKind.CURVE, payload.model_dump(mode="json"))
        for epoch in self.cache.epochs.values():
            epoch.predicted_N = None

    def curve(self, run_id: str, *, exact: bool) -> list[CurvePointRow]:
        """Measure the curve by the job itself; its points."""
        self.queue(run_id, CurvePayload(exact=exact))
        with self.job() as job:
            perform(job, run_inputs(job, self.settings), self.cache)
        with self.store.read() as session:
            return list(session.scalars(select(CurvePointRow).order_by(CurvePointRow.ask)))


def seconds(call: Callable[[], object]) -> float:
    """Time that the processor spends on it."""
    start = time.process_time()
    call()
    return time.process_time() - start


def plain(job: JobHandle, trained: TrainedEpoch, every: int) -> None:
    """Cut and evaluate the whole split at every so many of the ratios."""
    for share in RATIOS[::every]:
        cut = trained.surgeon.cut(select_channels(job, trained, Plan(ratio=share)).mask)
        evaluate(cut, trained.validation, trained.data.normalise)


def measure(bench: Bench, rounds: int, every: int) -> None:
    """Exact curve first, then the three in turns."""
    run_id = bench.trained()
    exact = bench.curve(run_id, exact=True)
    jobs_ = CurvePayload()
    bench.queue(run_id, jobs_)
    with bench.job() as job:
        inputs = run_inputs(job, bench.settings)
        trained = load_trained_epoch(job, inputs, bench.cache, None)
    times: dict[str, list[float]] = {"dense": [], "plain": [], "ours": []}
    for count in range(rounds + 1):  # the first is to warm up
        parts = {
            "dense": seconds(
                lambda: evaluate(trained.dense, trained.validation, trained.data.normalise)
            ),
            "plain": every * seconds(lambda: plain(job, trained, every)) if count else 0.0,
            "ours": seconds(lambda: bench.curve(run_id, exact=False)),
        }
        for name, taken in parts.items():
            times[name] += [taken] if count else []
        print(f"round {count}: {parts}", file=sys.stderr, flush=True)
    with bench.store.read() as session:
        found = list(session.scalars(select(CurvePointRow).order_by(CurvePointRow.ask)))
    report(times, exact, found)


def report(
    times: dict[str, list[float]], exact: list[CurvePointRow], found: list[CurvePointRow]
) -> None:
    """Ratios of the times, and how near the points are to the exact ones."""
    inside = [
        row.split_low <= true.value <= row.split_high
        for row, true in zip(found, exact, strict=True)
    ]
    errors = [abs(row.value - true.value) for row, true in zip(found, exact, strict=True)]
    halves = [(row.split_high - row.split_low) / 2 for row in found]
    print("| | s of one core: median (middle half) | dense evaluations |\n|---|---|---|")
    for name, label in (
        ("dense", "one evaluation of the dense network"),
        ("plain", "whole split at each of 100 ratios"),
        ("ours", "the curve job"),
    ):
        units = [taken / one for taken, one in zip(times[name], times["dense"], strict=True)]
        print(
            f"| {label} | {spread(times[name], 1.0)} | "
            f"{statistics.median(units):.1f} ({min(units):.1f} to {max(units):.1f}) |"
        )
    print(f"\nThe plain way takes {ratio(times['plain'], times['ours']):.1f} times as long.")
    print(
        f"{sum(inside)} of {len(found)} exact values lie in their intervals; the largest error is "
        f"{100 * max(errors):.2f} points, the widest interval ± {100 * max(halves):.2f}; "
        f"{sum(row.kind == 'measured' for row in found)} points were measured wholly, and "
        f"{sum(row.n for row in found) / found[0].n_split:.1f} splits of images in all."
    )
    both = [lossless_ratio(curves.known(rows)) for rows in (exact, found)]
    print(f"lossless ratio: {both[0]} exact, {both[1]} by the job")


def main() -> None:
    """Train once, then measure, alone with other trainings."""
    given = sys.argv[1:]
    numbers = [int(text) for text in given[2:]]
    rounds, every = (numbers + [5, 10][len(numbers) :])[:2]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(given[0] if given else temporary)
        root = Path(given[1]) if given[1:] else folder / "datasets"
        folder.mkdir(parents=True, exist_ok=True)
        run(folder, root, rounds, every)


def run(folder: Path, root: Path, rounds: int, every: int) -> None:
    """All of it with one thread, and nobody else in that folder."""
    settings = WorkerSettings(
        sqlite_url(folder / "recede.db"), folder / "artifacts", (root,), threads=1
    )
    torch.set_num_threads(1)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        store = open_store(settings.store_url)
        print(f"{machine()}, torch {torch.__version__}, n = {rounds} rounds")
        try:
            measure(Bench(settings, store, Cache()), rounds, every)
        finally:
            store.close()


if __name__ == "__main__":
    main()
