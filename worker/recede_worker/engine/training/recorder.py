"""Records one finished epoch: weights on disk first, then everything else in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from recede.contract.cut.polarisation import of_snapshot
from recede.contract.network.cost import dense_cost
from recede.contract.spec.kept_weights import MB, kept
from recede.contract.spec.run import RunSpec
from recede.contract.states import CheckpointKind
from recede.store.experiments import history, runs
from recede.store.queue import jobs
from recede.store.results import evaluations
from recede_worker.core.norms.fold import fold
from recede_worker.core.norms.importance import raw_scales
from recede_worker.engine.checkpoints.weights import (
    Draft,
    remove_checkpoint,
    write_checkpoint,
)
from recede_worker.engine.initial_weights.take_over import record_epoch_0
from recede_worker.engine.inputs.load import (
    Data,
    Network,
    versions,
)
from recede_worker.engine.inputs.run import RunInputs
from recede_worker.engine.job.handle import JobHandle
from recede_worker.engine.training.trainer_state import TrainerState, save_state
from recede_worker.engine.training.warnings import update_notices


@dataclass
class Recorder:
    """Writes the epochs of one run."""

    job: JobHandle
    run: RunInputs
    network: Network
    data: Data

    def untrained(self, state: TrainerState) -> None:
        """Record epoch 0: metrics and snapshot, and the weights if they were given."""
        run_id, metrics = self.job.run_id, state.metrics
        record_epoch_0(self.run, self.network, metrics["val_correct"], metrics["n_val"])
        with self.job.write() as session:
            history.put_network(session, run_id, self.network.shape)
        if self.run.spec.init is not None:
            self.epoch(state)
            return
        with self.job.write() as session:
            history.put_epoch(session, run_id, 0, metrics, *self._snapshot())

    def has(self, epoch: int) -> bool:
        """Whether the store has this epoch with its weights: then it is not recorded again."""
        run_id = self.job.run_id
        with self.job.read() as session:
            rows = evaluations.checkpoints(session, run_id)
            weights = [row.epoch for row in rows if row.kind == CheckpointKind.TRAINED.value]
            return epoch in weights and epoch in history.snapshot_epochs(session, run_id)

    def epoch(self, state: TrainerState) -> None:
        """Record an epoch whose state is in the model.

        Weights of the best and of the last epoch are kept, those that were given (epoch 0),
        those that a job works on, and every k-th as far as the spec's budget goes
        (contract/spec/kept_weights.py).

        Raises:
            LeaseLost: the job was taken over; the store is left as it was.
        """
        save_state(self.run.folder, state)
        run_id = self.job.run_id
        draft = self._draft(state)
        files, manifest = write_checkpoint(draft, self.run.folder, self.run.artifacts)
        snapshot = self._snapshot()
        with self.job.write(attempts=0) as session:
            gone = self._drop_superseded(session, state, files["safetensors"].size_bytes)
            history.put_epoch(session, run_id, state.epoch, state.metrics, *snapshot)
            if state.epoch > 0:
                update_notices(
                    session,
                    run_id,
                    epoch=state.epoch,
                    polarisation=snapshot[1],
                    labels_N=self.data.validation.y_N.cpu(),
                    warmup_epochs=self.run.spec.warmup_epochs,
                )
            evaluations.put_checkpoint(
                session,
                id_=draft.id,
                run_id=run_id,
                kind=CheckpointKind.TRAINED,
                epoch=state.epoch,
                files=files,
                manifest=manifest,
            )
            runs.set_results(
                session,
                run_id,
                best_epoch=state.best_epoch,
                best_val_correct=state.best_correct,
                n_val=len(self.data.validation),
            )
        for checkpoint_id in gone:
            remove_checkpoint(self.run.folder, checkpoint_id)

    def _drop_superseded(self, session: Session, state: TrainerState, n_bytes: int) -> list[str]:
        """Forget weights (`n_bytes` an epoch) that are no longer kept; the ids of their files."""
        run_id = self.job.run_id
        rows = [
            row
            for row in evaluations.checkpoints(session, run_id)
            if row.kind == CheckpointKind.TRAINED.value
        ]
        stay = kept(
            {state.epoch, *(row.epoch for row in rows)},
            always={0, state.epoch, state.best_epoch, *jobs.pinned(session, run_id)},
            n_bytes=n_bytes,
            budget=self.run.spec.keep_weights_mb * MB,
        )
        gone = [row for row in rows if row.epoch == state.epoch or row.epoch not in stay]
        ids = [row.id for row in gone]
        for row in gone:
            evaluations.drop_checkpoint(session, row)
        return ids

    def _snapshot(self) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        """Raw scales of all neurons and how clearly their importances have parted."""
        norms, sizes = list(self.network.norms.values()), self.network.shape.sizes
        raw = raw_scales(self.network.model, norms, sizes)
        return raw, of_snapshot(self.network.shape, raw)

    def _draft(self, state: TrainerState) -> Draft:
        network = self.network
        manifest = {
            **describe_run(self.job.run_id, self.run.spec, network, self.data),
            "kind": CheckpointKind.TRAINED.value,
            "epoch": state.epoch,
            "accuracy": {
                "validation": {
                    "correct": state.metrics["val_correct"],
                    "n": state.metrics["n_val"],
                }
            },
            "cost": vars(dense_cost(network.shape)),
        }
        source = network.architecture.source(network.config)
        return Draft(runs.new_id(), fold(network.model), source, manifest)


def describe_run(run_id: str, spec: RunSpec, network: Network, data: Data) -> dict[str, Any]:
    """What every manifest of a run holds: where the network comes from and its input format."""
    of_images = spec.normalize in ("auto", "images")
    return {
        "format": "recede/1",
        "run_id": run_id,
        "spec": spec.model_dump(mode="json"),
        **({"start": network.start} if network.start else {}),
        "architecture": spec.architecture,
        "config": network.config,
        "widths": {group.name: group.size for group in network.shape.groups},
        "input": {
            "shape": list(data.input_shape),
            "scaling": "pixel / 255, then (x - mean) / std for each channel",
            "mean": list(data.normalise.mean),
            "std": list(data.normalise.std),
            "mean_and_std_of": "the training images" if of_images else "the run's settings",
            "classes": list(data.classes),
        },
        "splits": {
            "train": len(data.train),
            "validation": len(data.validation),
            "test": len(data.test),
            "seed": spec.seed,
        },
        "dense_cost": vars(dense_cost(network.shape)),
        "versions": versions(),
    }
