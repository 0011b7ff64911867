"""A made-up finished run of any size, written straight into a store: for the page at its limits.

The importances part as in a real training: each neuron drifts from the same start towards a weak
or a strong fate, at its own pace. Nothing is trained, so there are no weights to cut or measure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recede.contract.cut.polarisation import of_snapshot
from recede.contract.cut.selection import select
from recede.contract.network.cost import cost
from recede.contract.network.shape import (
    Group,
    NetworkShape,
    Op,
)
from recede.contract.spec.run import Plan, RunSpec
from recede.contract.states import State
from recede.store.database.clock import db_now
from recede.store.database.engine import Store
from recede.store.experiments import history, runs
from recede.store.results import evaluations, maps

FloatArray = npt.NDArray[np.float32]
N_VAL = 6000
_START, _WEAK, _STRONG = 3.0, -6.5, 4.5


@dataclass(frozen=True)
class Size:
    """How large the run is."""

    neurons: int = 30_000
    epochs: int = 200
    """Trained epochs; epoch 0 comes on top."""
    layers: int = 53
    map_every: int = 5
    """The map has every so many epochs."""


PUBLISHED = Size(neurons=4224, epochs=160, layers=13)
"""VGG-16 as in the paper's longest table."""


def make(store: Store, size: Size, *, seed: int = 0) -> str:
    """Write such a run with its snapshots, evaluations and map; its id."""
    shape = network(size)
    spec = RunSpec(
        dataset="digits",
        architecture="vgg11",
        method="rni",
        epochs=size.epochs,
        name=f"Made up: {size.neurons} neurons, {size.epochs} epochs",
    )
    with store.write() as session:  # no worker sees the run before it is finished
        run, job = runs.create(session, spec)
        job.state = run.state = State.SUCCEEDED.value
        run.started_at = run.finished_at = job.finished_at = db_now()
        history.put_network(session, run.id, shape)
        run_id = run.id
    scales = Drift(shape, seed)
    for epoch in range(size.epochs + 1):
        raw = scales.at(epoch, size.epochs)
        with store.write() as session:
            parted = of_snapshot(shape, raw)
            history.put_epoch(session, run_id, epoch, _metrics(epoch, size), raw, parted)
            if epoch % size.map_every == 0 or epoch == size.epochs:
                _put_map(session, run_id, epoch, shape, raw, size)
    _finish(store, run_id, shape, scales.at(size.epochs, size.epochs), size)
    return run_id


def network(size: Size) -> NetworkShape:
    """A chain of convolutions that widens, with exactly that many neurons."""
    weights = np.linspace(1, 4, size.layers)
    sizes = np.maximum(4, (weights / weights.sum() * size.neurons).astype(int))
    sizes[-1] += size.neurons - sizes.sum()
    ops = []
    for layer, width in enumerate(int(one) for one in sizes):
        fan_in = 3 if layer == 0 else int(sizes[layer - 1])
        source = None if layer == 0 else layer - 1
        positions = max(16, 1024 >> (2 * layer // max(1, size.layers // 4)))
        links: dict[str, Any] = {"source": source, "target": layer}
        name = f"features.{3 * layer}"
        ops.append(
            Op(name=name, kind="conv", fan_in=fan_in, fan_out=width, kernel=9,
               positions=positions, **links)
        )  # fmt: skip
        ops.append(
            Op(name=f"{name}.norm", kind="norm", fan_in=width, fan_out=width,
               source=layer, target=layer)
        )  # fmt: skip
    last = int(sizes[-1])
    ops.append(
        Op(name="head", kind="linear", fan_in=last, fan_out=10, source=size.layers - 1, bias=True)
    )
    return NetworkShape(
        architecture="vgg11",
        groups=tuple(Group(name=f"features.{3 * i}", size=int(n)) for i, n in enumerate(sizes)),
        ops=tuple(ops),
        input_shape=(3, 32, 32),
        classes=10,
        scale="bounded",
    )


class Drift:
    """The raw scale of every neuron at every epoch."""

    def __init__(self, shape: NetworkShape, seed: int) -> None:
        random = np.random.default_rng(seed)
        n = shape.n_neurons
        weak_share = np.repeat(random.uniform(0.2, 0.9, len(shape.groups)), shape.sizes)
        weak_N = random.random(n) < weak_share
        self._start_N = random.normal(_START, 0.5, n)
        self._end_N = np.where(weak_N, random.normal(_WEAK, 1.3, n), random.normal(_STRONG, 1, n))
        self._pace_N = random.gamma(3, 0.09, n)

    def at(self, epoch: int, epochs: int) -> FloatArray:
        """Raw scales after that epoch of so many."""
        moved_N = 1 - np.exp(-(epoch / epochs) / self._pace_N)
        raw_N: FloatArray = (self._start_N + (self._end_N - self._start_N) * moved_N).astype("<f4")
        return raw_N


def _accuracy(epoch: int, ratio: float, size: Size) -> float:
    """Rises with the epochs and falls beyond a ratio that grows with them."""
    done = epoch / size.epochs
    dense = 0.1 + 0.82 * (1 - np.exp(-6 * done))
    knee = 0.05 + 0.6 * done
    return float(max(0.1, dense - 2.4 * max(0.0, ratio - knee) ** 1.4))


def _metrics(epoch: int, size: Size) -> dict[str, float | int | None]:
    right = int(N_VAL * _accuracy(epoch, 0.0, size))
    trained = None if epoch == 0 else right / N_VAL
    return {
        "train_loss": trained,
        "train_accuracy": trained,
        "penalty": trained,
        "val_loss": 1 - right / N_VAL,
        "val_correct": right,
        "n_val": N_VAL,
        "lr": None if epoch == 0 else 0.1,
        "images_per_s": trained and 1000.0,
        "seconds": 1.0,
    }


def _put_map(
    session: Any, run_id: str, epoch: int, shape: NetworkShape, raw: FloatArray, size: Size
) -> None:
    points = []
    for ask in maps.RATIOS:
        chosen = select(shape, raw, Plan(epoch=epoch, ratio=ask))
        value = _accuracy(epoch, ask, size)
        low, high = max(0.0, value - 0.02), min(1.0, value + 0.02)
        points.append(
            {
                "ask": ask,
                "ratio": chosen.ratio,
                "digest": chosen.digest,
                "kind": "estimated",
                "value": value,
                "low": low,
                "high": high,
                "split_low": low,
                "split_high": high,
                "n": 600,
                "n_split": N_VAL,
                **vars(cost(shape, chosen.kept)),
            }
        )
    place = {"criterion": "importance", "scope": "global", "bias": "drop"}
    maps.put(session, run_id, epoch, place, points)


def _finish(store: Store, run_id: str, shape: NetworkShape, raw: FloatArray, size: Size) -> None:
    """The best epoch and what was measured of it."""
    right = int(N_VAL * _accuracy(size.epochs, 0.0, size))
    with store.write() as session:
        runs.set_results(
            session, run_id, best_epoch=size.epochs, best_val_correct=right, n_val=N_VAL
        )
        for ask in maps.RATIOS:
            plan = Plan(epoch=size.epochs, ratio=ask)
            chosen = select(shape, raw, plan)
            evaluations.put_evaluation(
                session,
                on_curve=True,
                run_id=run_id,
                digest=chosen.digest,
                split="validation",
                epoch=size.epochs,
                ratio=chosen.ratio,
                plan=plan.model_dump(mode="json"),
                correct=int(N_VAL * _accuracy(size.epochs, ask, size)),
                n=N_VAL,
                loss=0.5,
                seconds=0.1,
                **vars(cost(shape, chosen.kept)),
            )
