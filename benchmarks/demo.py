"""The demo run, as the button starts it: how long it takes and what can be cut afterwards.

    python -m benchmarks.demo [SEEDS]

Claim: on two cores it ends within 3 minutes with its curve, its importances form two humps,
and half of the neurons can be cut for less than 0.5 points of validation accuracy before any
fine-tuning. Baseline: the same network trained in the same way without a penalty (ucs).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.parts.report import machine
from recede.contract.cut.selection import importances
from recede.contract.spec.run import IMPORTANCE, RunSpec
from recede.contract.states import JobKind, State
from recede.store.database.engine import (
    Store,
    open_store,
    sqlite_url,
)
from recede.store.experiments import history, runs
from recede.store.queue import jobs, workers
from recede.store.results import curves
from recede.store.tables.runs import RunRow

POLL_S = 0.2
COLUMNS = (
    *("method", "seed", "s", "neurons", "σ or |γ| < 0.1", "0.1 to 0.3", "> 0.3"),
    *("dense, validation %", "drop, points", "lossless"),
)


def finished(store: Store, spec: RunSpec) -> tuple[RunRow, float]:
    """Queue a run and wait for it and its curve; the run and the seconds it took."""
    started = time.perf_counter()
    with store.write() as session:
        run, _ = runs.create(session, spec)
    while True:
        time.sleep(POLL_S)
        with store.read() as session:
            ended = [job for job in jobs.page(session, run_id=run.id) if State(job.state).is_final]
            if any(job.kind == JobKind.CURVE.value or job.error for job in ended):
                return runs.get(session, run.id), time.perf_counter() - started


def line(store: Store, run: RunRow, seconds: float) -> str:
    """One row of the table: humps, accuracies and the lossless ratio."""
    with store.read() as session:
        raw = history.snapshot(session, run.id, run.best_epoch or 0)
        shape = history.network(session, run.id)
        place = curves.Place(run.best_epoch or 0, IMPORTANCE, "global", "drop")
        points = curves.known(curves.points(session, run.id, place))
    score = importances(raw, shape.scale)
    dense = points[0].accuracy
    half = min(points, key=lambda point: abs(point.ratio - 0.5))
    drop = 100 * (dense.value - half.accuracy.value)
    return (
        f"| {run.spec['method']} | {run.spec['seed']} | {seconds:.0f} | {raw.size} | "
        f"{np.mean(score < 0.1):.0%} | {np.mean((score >= 0.1) & (score <= 0.3)):.0%} | "
        f"{np.mean(score > 0.3):.0%} | {100 * dense.value:.2f} (n = {dense.n}) | "
        f"{drop:+.2f} at {half.ratio:.1%} | {run.lossless_ratio:.1%} |"
    )


def main() -> None:
    """Run the demo for each seed and print a Markdown table."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        url = sqlite_url(Path(folder) / "recede.db")
        store = open_store(url)
        command = [sys.executable, "-m", "recede_worker", "--store", url, "--artifacts", folder]
        worker = subprocess.Popen([*command, "--data-root", folder], stderr=subprocess.DEVNULL)
        try:
            measure(store, seeds)
        finally:
            worker.terminate()
            worker.wait()
            store.close()


def measure(store: Store, seeds: int) -> None:
    """The demo and its baseline for each seed, in turns."""
    catalog = None
    while catalog is None:
        time.sleep(POLL_S)
        with store.read() as session:
            found = workers.all_workers(session)
            catalog = workers.catalog(session) if found else None
    print(f"{catalog.demo.dataset}, {catalog.demo.epochs} epochs, seeds 0 to {seeds - 1}\n")
    print(f"| {' | '.join(COLUMNS)} |")
    print("|---" * len(COLUMNS) + "|")
    for seed in range(seeds):
        demo = catalog.demo.model_copy(update={"seed": seed})
        plain = demo.model_copy(update={"method": "ucs", "method_params": {}})
        for spec in (demo, plain):
            print(line(store, *finished(store, catalog.check(spec))), flush=True)


if __name__ == "__main__":
    main()
