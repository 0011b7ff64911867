"""A run that seems to train: epochs and progress written into a store, as a worker would."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.parts.big_run import Size, network
from recede.contract.cut.polarisation import of_snapshot
from recede.contract.spec.run import RunSpec
from recede.contract.states import State
from recede.store.database.clock import db_now
from recede.store.database.engine import Store
from recede.store.events import log
from recede.store.experiments import history, runs

PROGRESS_S = 0.5


def begin(store: Store, size: Size, epochs: int) -> str:
    """A run in training, at epoch 0; its id."""
    shape = network(size)
    spec = RunSpec(
        dataset="digits", architecture="vgg11", method="rni", epochs=epochs, name="Live updates"
    )
    with store.write() as session:
        run, job = runs.create(session, spec)
        job.state = run.state = State.RUNNING.value
        run.started_at = job.started_at = job.heartbeat_at = db_now()
        history.put_network(session, run.id, shape)
        run_id = run.id
    _epoch(store, run_id, 0, size)
    return run_id


def feed(store: Store, run_id: str, size: Size, epochs: int, seconds: float) -> None:
    """Spread so many epochs, with progress twice a second, over this time."""
    started = time.monotonic()
    done = 0
    while (passed := time.monotonic() - started) < seconds:
        while done < epochs * passed / seconds:
            done += 1
            _epoch(store, run_id, done, size)
        with store.write() as session:
            told = {"stage": "training", "done": done, "total": epochs, "unit": "batches"}
            log.append(session, "progress", run_id=run_id, data={**told, "eta_s": 1.0})
        time.sleep(PROGRESS_S)


def _epoch(store: Store, run_id: str, epoch: int, size: Size) -> None:
    shape = network(size)
    raw = np.random.default_rng(epoch).normal(0, 2, shape.n_neurons).astype("<f4")
    metrics = {
        "train_loss": 1.0,
        "train_accuracy": 0.5,
        "penalty": 1.0,
        "val_loss": 1.0,
        "val_correct": 500,
        "n_val": 1000,
        "lr": 0.1,
        "images_per_s": 1000.0,
        "seconds": 1.0,
    }
    with store.write() as session:
        history.put_epoch(session, run_id, epoch, metrics, raw, of_snapshot(shape, raw))
