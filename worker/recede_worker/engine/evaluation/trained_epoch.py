"""The trained network of one epoch, ready to be cut and measured again and again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from sqlalchemy.orm import Session
from torch import nn

from recede.contract.cut.selection import Selection, select
from recede.contract.network.cost import Cost, cost
from recede.contract.spec.run import Plan, RunSpec
from recede.store.experiments import history, runs
from recede.store.queue import jobs
from recede.store.results import evaluations
from recede.store.tables.cuts import PredictionRow
from recede.store.tables.runs import CheckpointRow, EvaluationRow
from recede_worker.core.cutting.surgery import Surgeon
from recede_worker.core.graph.trace import trace
from recede_worker.engine.checkpoints.weights import read_weights
from recede_worker.engine.evaluation.cache import LoadedEpoch, LoadedRun
from recede_worker.engine.evaluation.scores import scores_of
from recede_worker.engine.initial_weights.take_over import network_of
from recede_worker.engine.inputs.load import (
    Data,
    Network,
    load_data,
)
from recede_worker.engine.inputs.parts import (
    Classes,
    Dense,
    Source,
)
from recede_worker.engine.inputs.splits import Split
from recede_worker.engine.job.context import JobContext


@dataclass
class Subject:
    """Weights, importances and images of one epoch of one run."""

    context: JobContext
    spec: RunSpec
    data: Data
    network: Network
    dense: nn.Module
    """The folded network with the weights of that epoch, on the CPU."""
    surgeon: Surgeon
    checkpoint: CheckpointRow
    raw: npt.NDArray[np.float32]
    validation: Split
    source: Source
    """Parts of the validation images in random order."""
    loaded: LoadedEpoch

    def select(self, plan: Plan) -> Selection:
        """Channels that the plan keeps at this epoch.

        Raises:
            UnknownName, ImpossiblePlan: the plan's criterion cannot rank them.
        """
        return select(self.network.shape, scores_of(self, plan.criterion), plan)

    def dense_answers(self) -> Dense:
        """What the uncut network says of the validation images, as far as it is known."""
        if self.loaded.said_N is None:
            self.loaded.said_N = self._stored_answers()
        if self.loaded.said_N is not None:
            y_N = self.validation.y_N.cpu().numpy()
            return Dense(int((self.loaded.said_N == y_N).sum()), self.loaded.said_N)
        told = self.checkpoint.manifest.get("accuracy", {}).get("validation", {})
        known = told.get("correct") if told.get("n") == len(self.validation) else None
        everything = np.ones(self.network.shape.n_neurons, np.bool_)
        dense = self.surgeon.cut(everything).to(self.context.device)
        return Dense(known, None, dense.to(memory_format=torch.channels_last))

    def keep_dense_answers(self, session: Session, said_N: Classes) -> None:
        """Keep what the uncut network was found to say, if it was asked of all images."""
        if (said_N < 0).any() or self._row(session) is not None:
            return
        correct = int((said_N == self.validation.y_N.cpu().numpy()).sum())
        session.add(
            PredictionRow(
                run_id=self.context.lease.run_id,
                epoch=self.checkpoint.epoch,
                split="validation",
                predicted=said_N.astype("<u2").tobytes(),
                correct=correct,
                n=len(said_N),
            )
        )

    def _stored_answers(self) -> Classes | None:
        with self.context.store.read() as session:
            row = self._row(session)
        if row is None or row.n != len(self.validation):
            return None
        return np.frombuffer(row.predicted, "<u2").astype(np.int64)

    def _row(self, session: Session) -> PredictionRow | None:
        key = (self.context.lease.run_id, self.checkpoint.epoch, "validation")
        return session.get(PredictionRow, key)

    def cut(self, selection: Selection) -> nn.Module:
        """The really cut network on the CPU, its constants dropped or folded as was planned."""
        return self.surgeon.cut(selection.mask, selection.variant)

    def masked(self, selection: Selection) -> nn.Module:
        """The masked network that computes what `cut` does."""
        return self.surgeon.masked(selection.mask, selection.variant)

    def cost(self, selection: Selection) -> Cost:
        """Exact cost of that cut."""
        return cost(self.network.shape, selection.kept)

    def measured(self, selection: Selection) -> EvaluationRow | None:
        """What is already known of exactly this cut on the validation split."""
        with self.context.store.read() as session:
            run_id, epoch = self.context.lease.run_id, self.checkpoint.epoch
            return evaluations.evaluation(session, run_id, epoch, selection.digest)


def load_subject(context: JobContext, epoch: int | None) -> Subject:
    """The network of that epoch (None: the best); from memory, if an earlier job had it.

    Raises:
        WeightsGone: the weights of that epoch were not kept.
        StorageProblem: they are gone from disk or were altered.
    """
    run_id, loaded = context.lease.run_id, context.loaded
    row, raw = _stored(context, epoch)
    run = loaded.run(run_id) or _load_run(context)
    key = (run_id, row.epoch, row.sha256)
    network = loaded.epoch(key) or _load_epoch(context, run, row)
    loaded.add_run(run_id, run)
    loaded.add_epoch(key, network)
    return Subject(
        context=context,
        spec=run.spec,
        data=run.data,
        network=run.network,
        dense=network.dense,
        surgeon=network.surgeon,
        checkpoint=row,
        raw=raw,
        validation=run.validation,
        source=run.source,
        loaded=network,
    )


def _stored(
    context: JobContext, epoch: int | None
) -> tuple[CheckpointRow, npt.NDArray[np.float32]]:
    """Checkpoint and importances; from then on nobody drops the weights before the job ends."""
    run_id, job_id = context.lease.run_id, context.lease.job_id
    with context.store.read() as session:
        context.loaded.drop_all_but(runs.existing(session, list(context.loaded.runs)))
        # A plan with an epoch has pinned it when it was queued, which saves a commit.
        if epoch is not None and jobs.get(session, job_id).epoch == epoch:
            row = evaluations.trained(session, run_id, epoch)
            return row, history.snapshot(session, run_id, epoch)
    with context.write() as session:
        row = evaluations.trained(session, run_id, epoch)
        jobs.pin(session, job_id, row.epoch)
        return row, history.snapshot(session, run_id, row.epoch)


def _load_run(context: JobContext) -> LoadedRun:
    context.progress("loading", 0, 1, "steps", message="images")
    spec = context.spec()
    data = load_data(spec, context.settings, lambda *_: context.check())
    network = network_of(context, spec, data)
    dense = network.architecture.build(network.config)
    traced = trace(dense, network.shape.input_shape)
    validation = data.validation.to(context.device)
    return LoadedRun(spec, data, network, traced, validation, Source(validation))


def _load_epoch(context: JobContext, run: LoadedRun, row: CheckpointRow) -> LoadedEpoch:
    context.progress("loading", 0, 1, "steps", message="weights")
    network = run.network
    dense = network.architecture.build(network.config)
    dense.load_state_dict(read_weights(row, context.settings.artifacts))
    surgeon = Surgeon(dense, network.shape, network.norms, run.traced)
    return LoadedEpoch(dense.eval(), surgeon)
