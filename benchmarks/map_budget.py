"""Claim: the prunability map takes no more than its budget, 3 % of the training's time.

The same training with the map and without, in turns, each a whole job on handwritten digits
(which come with scikit-learn). Both end with the same weights, to the last bit: that is checked.
Run: python -m benchmarks.map_budget [--n 5] [--epochs 40] [--budget 0.03]
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.parts.report import machine, spread
from recede.contract.spec.run import RunSpec
from recede.contract.states import Lane
from recede.store.database.engine import (
    Store,
    open_store,
    sqlite_url,
)
from recede.store.experiments import runs
from recede.store.queue import lease
from recede.store.results import maps
from recede_worker.engine.inputs.run import run_inputs
from recede_worker.engine.job.handle import JobHandle
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.engine.training.job import run_training
from recede_worker.engine.training.trainer_state import load_state

SPEC = RunSpec(
    dataset="digits",
    architecture="vgg16",
    architecture_params={"width": 0.25},
    method="rni",
    method_params={"lam": 0.02, "shift": 3.0},
    batch_size=64,
    val_fraction=0.3,
)
PLACE = {"criterion": "importance", "scope": "global", "bias": "drop"}
PART = re.compile(r"\((?P<part>[\d.]+)% of the training\)")


@dataclass(frozen=True)
class Trained:
    """One whole training: how long it took, and what it knows of its map."""

    seconds: float
    weights: dict[str, torch.Tensor]
    epochs: int
    """Measured for the map."""
    points: int
    share: float
    """Of the training's time, as the run itself accounts for it."""


def train(settings: WorkerSettings, store: Store, spec: RunSpec) -> Trained:
    """Queue a run, claim its job and run it to its end in this process."""
    with store.write() as session:
        run_id = runs.create(session, spec)[0].id
    with store.write() as session:
        held = lease.claim(session, owner="me", lanes=[Lane.TRAINING], device="cpu", lease_s=3600)
    assert held is not None
    logged: list[str] = []
    job = JobHandle(store, held, logged.append, lambda _progress: None)
    inputs = run_inputs(job, settings)
    started = time.perf_counter()
    run_training(job, inputs)
    seconds = time.perf_counter() - started
    state = load_state(inputs.folder)
    assert state is not None
    with store.read() as session:
        points = maps.points(session, run_id, PLACE)
    parts = [float(found["part"]) / 100 for found in map(PART.search, logged) if found]
    epochs = len({point.epoch for point in points})
    return Trained(seconds, state.model, epochs, len(points), parts[-1] if parts else 0.0)


def compare(spec: RunSpec, n: int) -> tuple[list[Trained], list[Trained]]:
    """n trainings without the map and n with it, in turns after one of each to warm up."""
    plain = spec.model_copy(update={"map_budget": 0.0})
    without: list[Trained] = []
    with_map: list[Trained] = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        url = sqlite_url(root / "recede.db")
        settings = WorkerSettings(url, root / "files", (root,), threads=torch.get_num_threads())
        store = open_store(url)
        for turn in range(n + 1):
            pair = [train(settings, store, one) for one in (plain, spec)]
            if turn:
                without.append(pair[0])
                with_map.append(pair[1])
            require_equal(*pair)
        store.close()
    return without, with_map


def require_equal(a: Trained, b: Trained) -> None:
    """Stop if the two trainings do not end with the same bits."""
    for name, tensor in a.weights.items():
        assert torch.equal(tensor, b.weights[name]), f"{name} differs with the map"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=5)
    parser.add_argument("--epochs", type=int, action="append")
    parser.add_argument("--budget", type=float, default=0.03)
    options = parser.parse_args()
    print(f"{machine()}; torch {torch.__version__}, {torch.get_num_threads()} threads;")
    print(f"VGG-16 × 0.25 on digits, n = {options.n} trainings each, in turns\n")
    print(
        "| epochs | without, s | with, s | more, % | map by the run's own account, % | "
        "epochs measured | points |"
    )
    print("|---|---|---|---|---|---|---|")
    for epochs in options.epochs or [10, 40]:
        spec = SPEC.model_copy(update={"epochs": epochs, "map_budget": options.budget})
        without, with_map = compare(spec, options.n)
        pairs = zip(without, with_map, strict=True)
        more = [100 * (b.seconds / a.seconds - 1) for a, b in pairs]
        print(
            f"| {epochs} | {spread([a.seconds for a in without], 1)} | "
            f"{spread([b.seconds for b in with_map], 1)} | {spread(more, 1)} | "
            f"{100 * statistics.median(b.share for b in with_map):.1f} (at most "
            f"{100 * max(b.share for b in with_map):.1f}) | "
            f"{statistics.median(b.epochs for b in with_map):g} | "
            f"{statistics.median(b.points for b in with_map):g} |"
        )


if __name__ == "__main__":
    main()
