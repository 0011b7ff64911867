"""Small specs, networks and results to fill a store with."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from recede.contract.cut.polarisation import of_snapshot
from recede.contract.cut.selection import select
from recede.contract.network.cost import cost
from recede.contract.network.shape import (
    Group,
    NetworkShape,
    Op,
)
from recede.contract.spec.run import Plan, RunSpec
from recede.contract.states import CheckpointKind
from recede.store.database.engine import Store
from recede.store.experiments import history, runs
from recede.store.results import evaluations
from recede.store.results.evaluations import StoredFile

SPEC = RunSpec(dataset="digits", architecture="tiny", method="rni")

SHAPE = NetworkShape(
    architecture="tiny",
    groups=(Group(name="a", size=8), Group(name="b", size=12)),
    ops=(
        Op(name="a", kind="conv", fan_in=1, fan_out=8, target=0, kernel=9, positions=64),
        Op(name="a.norm", kind="norm", fan_in=8, fan_out=8, source=0, target=0),
        Op(
            name="b", kind="conv", fan_in=8, fan_out=12, source=0, target=1, kernel=9, positions=16
        ),
        Op(name="b.norm", kind="norm", fan_in=12, fan_out=12, source=1, target=1),
        Op(name="head", kind="linear", fan_in=12, fan_out=10, source=1, bias=True),
    ),
    input_shape=(1, 8, 8),
    classes=10,
    scale="bounded",
)

N_VAL = 100


def raw_scales(epoch: int) -> np.ndarray:
    """Scales that part over the epochs, mixed over both layers, the same in every test."""
    mixed = np.random.default_rng(0).permutation(np.linspace(-3, 3, SHAPE.n_neurons))
    return (mixed * (1 + epoch)).astype(np.float32)


def metrics(epoch: int) -> dict[str, float | int | None]:
    trained = None if epoch == 0 else 0.5
    return {
        "train_loss": trained,
        "train_accuracy": trained,
        "penalty": trained,
        "val_loss": 1.0 / (1 + epoch),
        "val_correct": min(90, 10 + 40 * epoch),
        "n_val": N_VAL,
        "lr": trained,
        "images_per_s": trained,
        "seconds": 1.0,
    }


def add_run(store: Store, spec: RunSpec = SPEC) -> tuple[str, int]:
    """A queued run; its id and the id of its train job."""
    with store.write() as session:
        run, job = runs.create(session, spec)
        return run.id, job.id


def add_epochs(store: Store, run_id: str, last: int) -> None:
    """The network, epochs 0 to `last`, and the last one as the best."""
    with store.write() as session:
        history.put_network(session, run_id, SHAPE)
        for epoch in range(last + 1):
            raw = raw_scales(epoch)
            history.put_epoch(session, run_id, epoch, metrics(epoch), raw, of_snapshot(SHAPE, raw))
        runs.set_results(session, run_id, best_epoch=last, best_val_correct=90, n_val=N_VAL)


def add_checkpoint(
    store: Store,
    artifacts: Path,
    run_id: str,
    epoch: int,
    *,
    kind: CheckpointKind = CheckpointKind.TRAINED,
    body: bytes = b"weights " * 100,
    manifest: dict[str, Any] | None = None,
) -> str:
    """Weights on disk and in the store; the checkpoint's id."""
    id_ = runs.new_id()
    files = {}
    for format_, content in (("safetensors", body), ("manifest", b"{}")):
        path = Path("runs") / run_id / f"{id_}.{format_}"
        (artifacts / path).parent.mkdir(parents=True, exist_ok=True)
        (artifacts / path).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        files[format_] = StoredFile(path.as_posix(), len(content), digest)
    with store.write() as session:
        evaluations.put_checkpoint(
            session,
            id_=id_,
            run_id=run_id,
            kind=kind,
            epoch=epoch,
            files=files,
            manifest={
                **({} if kind is CheckpointKind.TRAINED else {"ratio": 0.604}),
                **(manifest or {}),
            },
        )
    return id_


def add_evaluation(
    store: Store,
    run_id: str,
    plan: Plan,
    *,
    epoch: int,
    correct: int,
    on_curve: bool = False,
) -> int:
    """A measured cut; its id."""
    chosen = select(SHAPE, raw_scales(epoch), plan)
    with store.write() as session:
        row = evaluations.put_evaluation(
            session,
            on_curve=on_curve,
            run_id=run_id,
            digest=chosen.digest,
            split="validation",
            epoch=epoch,
            ratio=chosen.ratio,
            plan=plan.model_dump(mode="json"),
            correct=correct,
            n=N_VAL,
            loss=0.1,
            seconds=0.1,
            **vars(cost(SHAPE, chosen.kept)),
        )
        return row.id
