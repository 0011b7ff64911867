"""The prunability map: accuracy of really cut networks at some ratios while a network trains.

Nothing here touches the training: copies are cut, the state of random numbers is restored, and
the time is paid from a budget (budget.py). The points of an epoch appear together or not at all.

Tensor letters: N images of the validation split, S images of the sample.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from recede.contract.cut.protected import with_protected
from recede.contract.cut.selection import Selection, select
from recede.contract.errors import RecedeError
from recede.contract.measuring.sampling import Seen, estimated
from recede.contract.network.cost import (
    Cost,
    cost,
    dense_cost,
)
from recede.contract.spec.run import (
    IMPORTANCE,
    Plan,
)
from recede.store.experiments import runs
from recede.store.queue.lease import LeaseLost
from recede.store.results import maps
from recede_worker.core.cutting.surgery import Surgeon
from recede_worker.core.norms.fold import fold
from recede_worker.core.norms.importance import raw_scales
from recede_worker.engine.evaluation.accuracy import Evaluation
from recede_worker.engine.inputs.load import (
    Data,
    Network,
    method_of,
)
from recede_worker.engine.inputs.run import RunInputs
from recede_worker.engine.inputs.sample import Sample, batches
from recede_worker.engine.inputs.splits import PixelSplit, Split
from recede_worker.engine.job.handle import JobHandle
from recede_worker.engine.job.stop import Stop
from recede_worker.engine.training.prunability.budget import (
    Budget,
    Costs,
    Ledger,
    order,
)

Flags = npt.NDArray[np.bool_]
Values = dict[str, Any]


@dataclass(frozen=True)
class Cut:
    """One distinct cut and the ratios that lead to it."""

    selection: Selection
    ratios: tuple[float, ...]
    cost: Cost
    share: float
    """Its time as a share of the dense network's, roughly."""


class Prunability:
    """Measures the map of one training, as far as its budget goes."""

    def __init__(
        self,
        job: JobHandle,
        run: RunInputs,
        data: Data,
        network: Network,
        validation: Split,
    ) -> None:
        self.job, self.device, self.data, self.network = job, run.device, data, network
        spec = run.spec
        self.scope = method_of(spec).info.scope
        self.budget = Budget(
            spec.epochs,
            len(validation),
            Ledger(spec.map_budget),
            Costs(image_s=0.0),
        )
        self._y_N = validation.y_N
        self._sample = Sample(validation, spec.seed)
        self._plain: nn.Module | None = None

    def after(self, epoch: int, seconds: float, dense: Evaluation) -> None:
        """Measure the recorded epoch (which took `seconds`) if its turn has come, and pay.

        `dense` has the answers of the network in training on the whole validation split.

        Raises:
            Cancelled, Interrupted: the job should stop; nothing of this epoch is kept.
            LeaseLost: the job was taken over.
        """
        budget = self.budget
        if budget.ledger.share == 0:
            return
        started = time.perf_counter()
        may = budget.affordable(epoch, seconds)
        if budget.costs.image_s == 0:
            budget.costs.image_s = dense.seconds / dense.n
        if not budget.images(epoch, may):
            return
        summary = None
        try:
            with undisturbed(self.device):
                summary = self._measure(epoch, dense, started, may)
        except (Stop, LeaseLost):
            raise
        except Exception as error:  # noqa: BLE001 - a map that fails must not end the training
            self._give_up(epoch, error)
        finally:
            took = time.perf_counter() - started
            budget.ledger.pay(took)
        if summary:
            budget.last_epoch = epoch
            self.job.log(f"{summary} in {took:.2f} s ({budget.ledger.part:.1%} of the training)")

    def _measure(self, epoch: int, dense: Evaluation, started: float, may: float) -> str | None:
        """Measure and store as many cuts as fit; a summary for the log, None if none did."""
        cuts = self._cuts(epoch)
        costs = self.budget.costs
        self.budget.shares = [cut.share for cut in cuts if cut.selection.removed]
        preparing_s = self._prepare()
        surgeon = self._surgeon()
        costs.fixed_s = time.perf_counter() - started - preparing_s
        began = time.perf_counter()
        surgeon.cut(cuts[-1].selection.mask)
        costs.cut_s = time.perf_counter() - began
        n = self.budget.images(epoch, may - preparing_s - costs.cut_s)
        if not n:
            return None
        right_N = dense.predicted_N.eq(self._y_N.cpu()).numpy()
        points: list[Values] = []
        for done, cut in enumerate(cuts[place] for place in order(len(cuts))):
            self.job.progress(
                "measuring", done, len(cuts), "cuts", message="accuracy of cuts", epoch=epoch
            )
            left_s = may - (time.perf_counter() - started)
            if points and costs.one(n, cut.share) > left_s:
                break
            points += _points(cut, self._accuracy(surgeon, cut, right_N, n))
        with self.job.write() as session:
            place = {"criterion": IMPORTANCE, "scope": self.scope, "bias": "drop"}
            maps.put(session, self.job.run_id, epoch, place, points)
        return f"accuracy of {len(points)} cuts on {n} of {dense.n} validation images"

    def _accuracy(self, surgeon: Surgeon, cut: Cut, right_N: Flags, n: int) -> Values:
        """Accuracy of one cut network on the whole split, from n of its images."""
        if not cut.selection.removed:  # the dense network itself
            return _values(right_N, right_N, right_N)
        self.job.check()
        small = surgeon.cut(cut.selection.mask).to(self.device)
        sample = self._sample.first(n, self.job.check)
        began = time.perf_counter()
        right_S = self._right(small, sample)
        self.budget.costs.image_s = (time.perf_counter() - began) / (n * cut.share)
        return _values(right_N, right_N[self._sample.index(n).numpy()], right_S)

    @torch.no_grad()
    def _right(self, small: nn.Module, sample: PixelSplit) -> Flags:
        small.eval().to(memory_format=torch.channels_last)
        right = []
        for x_BCHW, y_B in batches(sample, self.data.normalise):
            self.job.check()
            right.append(small(x_BCHW).argmax(1) == y_B)
        return torch.cat(right).cpu().numpy()

    def _cuts(self, epoch: int) -> list[Cut]:
        """The distinct cuts of the ratios, ordered by how much they remove."""
        shape, norms = self.network.shape, list(self.network.norms.values())
        raw = raw_scales(self.network.model, norms, shape.sizes)
        with self.job.read() as session:
            protected = runs.get(session, self.job.run_id).protected or []
        ratios: dict[str, list[float]] = {}
        found: dict[str, Selection] = {}
        for ratio in maps.RATIOS:
            plan = with_protected(Plan(epoch=epoch, scope=self.scope, ratio=ratio), protected)
            selection = select(shape, raw, plan)
            ratios.setdefault(selection.digest, []).append(ratio)
            found[selection.digest] = selection
        costs = {digest: cost(shape, one.kept) for digest, one in found.items()}
        dense = dense_cost(shape)
        # The time goes with the width rather than with the products, which are its square.
        shares = {digest: math.sqrt(own.macs / dense.macs) for digest, own in costs.items()}
        return [
            Cut(one, tuple(ratios[digest]), costs[digest], shares[digest])
            for digest, one in found.items()
        ]

    def _prepare(self) -> float:
        """Build the network to cut, once; the seconds that it took now."""
        began = time.perf_counter()
        if self._plain is None:
            self._plain = self.network.architecture.build(self.network.config).eval()
        return time.perf_counter() - began

    def _surgeon(self) -> Surgeon:
        """A surgeon for the weights of now, in copies."""
        network = self.network
        assert self._plain is not None
        self._plain.load_state_dict(fold(network.model).state_dict())
        return Surgeon(self._plain, network.shape, network.norms, network.traced)

    def _give_up(self, epoch: int, error: Exception) -> None:
        """End the map with a notice; the training goes on."""
        self.budget.ledger.share = 0.0
        reason = (
            error.message if isinstance(error, RecedeError) else f"{type(error).__name__}: {error}"
        )
        message = f"The map of accuracy over ratio and epoch ends before epoch {epoch}: {reason}"
        self.job.log(message)
        with self.job.write() as session:
            hint = "The training continues without it; the curve is measured at its end."
            run_id = self.job.run_id
            runs.notice(session, run_id, "map_ended", message, hint=hint, epoch=epoch)


@contextmanager
def undisturbed(device: torch.device) -> Iterator[None]:
    """Restore the state of the random numbers after the block."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        yield


def _values(dense_N: Flags, dense_S: Flags, cut_S: Flags) -> Values:
    """Accuracy of a cut network from where it and the dense network are correct."""
    seen = Seen(
        size=len(dense_N),
        control_correct=int(dense_N.sum()),
        n=len(cut_S),
        control_seen=int(dense_S.sum()),
        lost=int((dense_S & ~cut_S).sum()),
        gained=int((cut_S & ~dense_S).sum()),
    )
    return vars(estimated(seen))


def _points(cut: Cut, accuracy: Values) -> list[Values]:
    """One point for each ratio that leads to this cut."""
    same = {
        **accuracy,
        "ratio": cut.selection.ratio,
        "digest": cut.selection.digest,
        **vars(cut.cost),
    }
    return [{**same, "ask": ratio} for ratio in cut.ratios]
