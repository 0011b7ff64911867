"""The trained network of one epoch, ready to be cut and measured again and again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import nn

from backend.contract.cost import Cost, cost
from backend.contract.selection import Selection, select
from backend.contract.specs import Plan, RunSpec
from backend.store import history, jobs, results
from backend.store.tables import CheckpointRow, EvaluationRow
from worker.core.surgery import Surgeon
from worker.engine.batches import Split
from worker.engine.context import JobContext
from worker.engine.evaluate import evaluate
from worker.engine.setup import Data, Network, load_data
from worker.engine.start import network_of
from worker.engine.weights import read_weights


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

    def select(self, plan: Plan) -> Selection:
        """Channels that the plan keeps at this epoch."""
        return select(self.network.shape, self.raw, plan)

    def cost(self, selection: Selection) -> Cost:
        """Exact cost of that cut."""
        return cost(self.network.shape, selection.kept)

    def measured(self, selection: Selection) -> EvaluationRow | None:
        """What is already known of exactly this cut on the validation split."""
        with self.context.store.read() as session:
            run_id, epoch = self.context.lease.run_id, self.checkpoint.epoch
            return results.evaluation(session, run_id, epoch, selection.digest)

    def measure(self, plan: Plan, *, on_curve: bool = False) -> EvaluationRow:
        """Accuracy of the really cut network on the whole validation split; kept once."""
        selection = self.select(plan)
        known = self.measured(selection)
        if known is not None and (known.on_curve or not on_curve):
            return known
        cut = self.surgeon.cut(selection.mask).to(self.context.device)
        result = evaluate(cut, self.validation, self.data.normalise, self.context.check)
        with self.context.write() as session:
            return results.put_evaluation(
                session,
                on_curve=on_curve,
                run_id=self.context.lease.run_id,
                digest=selection.digest,
                split="validation",
                epoch=self.checkpoint.epoch,
                ratio=selection.ratio,
                plan=plan.model_dump(mode="json"),
                correct=result.correct,
                n=result.n,
                loss=result.loss,
                seconds=result.seconds,
                **vars(self.cost(selection)),
            )


def load_subject(context: JobContext, epoch: int | None) -> Subject:
    """The network of that epoch (None: the best).

    Raises:
        WeightsGone: the weights of that epoch were not kept.
        StorageProblem: they are gone from disk or were altered.
    """
    spec = context.spec()
    run_id = context.lease.run_id
    with context.write() as session:
        row = results.trained(session, run_id, epoch)
        jobs.pin(session, context.lease.job_id, row.epoch)
        raw = history.snapshot(session, run_id, row.epoch)
    context.progress("loading", 0, 1, "steps", message="weights and images")
    data = load_data(spec, context.settings, lambda *_: context.check())
    network = network_of(context, spec, data)
    dense = network.architecture.build(network.config)
    dense.load_state_dict(read_weights(row, context.settings.artifacts))
    return Subject(
        context=context,
        spec=spec,
        data=data,
        network=network,
        dense=dense.eval(),
        surgeon=Surgeon(dense, network.shape, network.norms),
        checkpoint=row,
        raw=raw,
        validation=data.validation.to(context.device),
    )
