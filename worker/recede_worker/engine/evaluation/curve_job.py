"""The curve job: accuracy of really cut networks over the share of neurons removed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy.orm import Session
from torch import nn

from recede.contract.cut.protected import with_protected
from recede.contract.cut.selection import Selection
from recede.contract.measuring.accuracy import (
    Accuracy,
    Known,
    around_the_knee,
    lossless_ratio,
    measured,
)
from recede.contract.spec.run import (
    IMPORTANCE,
    CurvePayload,
    Plan,
)
from recede.store.experiments import runs
from recede.store.queue import jobs
from recede.store.results import curves, evaluations
from recede.store.results.curves import Place
from recede_worker.core.cutting.fuse import fuse
from recede_worker.core.estimating.brackets import Brackets, Flags
from recede_worker.engine.evaluation.dense_predictions import all_predictions
from recede_worker.engine.evaluation.predictions import Images, Predictions
from recede_worker.engine.evaluation.ranking import select_channels
from recede_worker.engine.evaluation.trained_epoch import TrainedEpoch
from recede_worker.engine.inputs.load import method_of
from recede_worker.engine.job.handle import JobHandle, Outcome

SAVE_S = 0.5
"""Points are stored this often while the job runs."""


def run_curve(job: JobHandle, trained: TrainedEpoch, payload: CurvePayload) -> Outcome:
    """Measure each ratio of the payload; equal cuts are measured once, stored results reused."""
    curve = _Curve(job, trained, payload)
    curve.measure()
    lossless = lossless_ratio(curve.known())
    with job.read() as session:
        is_best = runs.get(session, job.run_id).best_epoch == trained.epoch
    if is_best and curve.is_the_methods_own():
        with job.write() as session:
            runs.set_results(session, job.run_id, lossless_ratio=lossless)
    return Outcome({"lossless_ratio": lossless, "points": len({p.digest for p in curve.points})})


@dataclass(frozen=True)
class _Point:
    wanted: float
    """The ratio of the payload."""
    plan: Plan
    selection: Selection

    @property
    def digest(self) -> str:
        return self.selection.digest


@dataclass(frozen=True)
class Fresh:
    """One cut on the whole split."""

    correct: int
    n: int
    loss: float
    seconds: float


@dataclass
class _Curve:
    """One curve: its points, what is known of each cut, and what is still to be stored."""

    job: JobHandle
    trained: TrainedEpoch
    payload: CurvePayload
    place: Place = field(init=False)
    points: list[_Point] = field(init=False)
    found: dict[str, Accuracy] = field(default_factory=dict)
    """By digest."""
    fresh: dict[str, Fresh] = field(default_factory=dict)
    """What was measured on the whole split and is not stored yet, by digest."""
    unsaved: list[_Point] = field(default_factory=list)
    saved_at: float = 0.0

    def __post_init__(self) -> None:
        wanted = self.payload
        self.place = Place(self.trained.epoch, wanted.criterion, wanted.scope, wanted.bias)
        self.points = list(self._points())
        self._recall()

    def _points(self) -> Iterator[_Point]:
        with self.job.read() as session:
            protected = runs.get(session, self.job.run_id).protected or ()
        for ratio in sorted(self.payload.ratios):
            plan = Plan(
                epoch=self.place.epoch,
                scope=self.payload.scope,
                criterion=self.payload.criterion,
                bias=self.payload.bias,
                ratio=ratio,
            )
            selection = select_channels(self.job, self.trained, with_protected(plan, protected))
            yield _Point(ratio, plan, selection)

    def _recall(self) -> None:
        """What was measured wholly, and what an earlier attempt of this job has estimated."""
        digests, run_id = {point.digest for point in self.points}, self.job.run_id
        with self.job.read() as session:
            since = jobs.get(session, self.job.lease.job_id).created_at
            for row in curves.points(session, run_id, self.place):
                own = row.created_at >= since and not self.payload.exact
                if row.digest in digests and (own or row.kind == "measured"):
                    self.found[row.digest] = curves.accuracy_of(row)
            for whole in evaluations.evaluations(session, run_id, self.place.epoch):
                if whole.digest in digests:
                    self.found[whole.digest] = measured(whole.correct, whole.n)

    def known(self) -> list[Known]:
        """The points that are known, by ratio."""
        return [
            Known(point.selection.ratio, self.found[point.digest])
            for point in self.points
            if point.digest in self.found
        ]

    def is_the_methods_own(self) -> bool:
        """Whether this is the curve that the run's lossless ratio is read from."""
        own = method_of(self.trained.spec).info.scope
        return (self.place.criterion, self.place.scope, self.place.bias) == (
            IMPORTANCE,
            own,
            "drop",
        )

    def measure(self) -> None:
        """All points, then those around the knee on the whole split."""
        job, total = self.job, len(self.points)
        job.progress("measuring", 0, total, "ratios", message="uncut network")
        right_N = self._dense_right()
        self.unsaved = [point for point in self.points if point.digest in self.found]
        started, before, done = time.perf_counter(), len(self.unsaved), len(self.unsaved)
        predictions = Predictions(self._images(), self._network)
        brackets = self._brackets(predictions, right_N)
        for cut, accuracy in self._measured(brackets):
            done += self._add(predictions, cut, accuracy)
            self._save_if_due()
            spent_s = time.perf_counter() - started
            eta_s = spent_s / (done - before) * (total - done)
            job.progress("measuring", done, total, "ratios", eta_s=eta_s)
            job.check()
        for cut in self._unmeasured_at_the_knee():
            self._add(predictions, cut, brackets.measure(cut))
        self._save()
        job.log(
            f"{len(predictions.cuts)} cuts on {predictions.images_run} images altogether, "
            f"{predictions.images_run / len(self.trained.validation):.1f} times the split"
        )

    def _measured(self, brackets: Brackets) -> Iterator[tuple[int, Accuracy]]:
        """Each cut that is not known, numbered as its first point, in the order of finding."""
        first = {point.digest: at for at, point in reversed([*enumerate(self.points)])}
        cuts = sorted(at for digest, at in first.items() if digest not in self.found)
        return brackets.exact(cuts) if self.payload.exact else brackets.run(cuts)

    def _images(self) -> Images:
        trained = self.trained
        return Images(trained.validation, trained.source, trained.data.normalise, self.job.check)

    def _brackets(self, predictions: Predictions, dense_N: Flags) -> Brackets:
        source = self.trained.source
        order_N = source.index(0, len(dense_N)).numpy()
        return Brackets(predictions, dense_N, order_N, thrifty=not source.in_memory)

    def _network(self, cut: int) -> nn.Module:
        point, trained = self.points[cut], self.trained
        small = trained.surgeon.cut(point.selection.mask, point.plan.bias)
        return fuse(small, trained.surgeon.fusible).to(trained.device)

    def _dense_right(self) -> Flags:
        """Which images the uncut network classifies correctly."""
        y_N = self.trained.validation.y_N.cpu().numpy()
        right: Flags = all_predictions(self.job, self.trained) == y_N
        for point in self.points[:1]:
            if not point.selection.removed:  # a cut that removes nothing is the uncut network
                self.found[point.digest] = measured(int(right.sum()), len(right))
        return right

    def _add(self, predictions: Predictions, cut: int, accuracy: Accuracy) -> int:
        """Add the accuracy of one cut; the number of points that share it."""
        digest = self.points[cut].digest
        self.found[digest] = accuracy
        if accuracy.kind == "measured":
            correct = round(accuracy.value * accuracy.n)
            self.fresh[digest] = Fresh(
                correct, accuracy.n, predictions.loss(cut), predictions.seconds(cut)
            )
        same = [point for point in self.points if point.digest == digest]
        self.unsaved += same
        return len(same)

    def _unmeasured_at_the_knee(self) -> Iterator[int]:
        """Estimated points beside the fall, until there are none: measuring may move it."""
        while True:
            near = around_the_knee(self.known())
            ratios = {one.ratio for one in near if one.accuracy.kind != "measured"}
            places = (at for at, p in enumerate(self.points) if p.selection.ratio in ratios)
            cut = next(places, None)
            if cut is None:
                return
            yield cut

    def _save_if_due(self) -> None:
        if time.perf_counter() - self.saved_at >= SAVE_S:
            self._save()

    def _save(self) -> None:
        """Store what was found since the last time, in one transaction."""
        run_id = self.job.run_id
        with self.job.write() as session:
            for point in self.unsaved:
                curves.put(
                    session,
                    run_id,
                    self.place,
                    ask=point.wanted,
                    ratio=point.selection.ratio,
                    digest=point.digest,
                    accuracy=self.found[point.digest],
                    cost=vars(self.trained.cost(point.selection)),
                )
                if point.digest in self.fresh:
                    self._store_evaluation(session, point, self.fresh.pop(point.digest))
            curves.tell(session, run_id, self.place)
        self.unsaved, self.saved_at = [], time.perf_counter()

    def _store_evaluation(self, session: Session, point: _Point, whole: Fresh) -> None:
        evaluations.put_evaluation(
            session,
            on_curve=True,
            run_id=self.job.run_id,
            digest=point.digest,
            split="validation",
            epoch=self.place.epoch,
            ratio=point.selection.ratio,
            plan=point.plan.model_dump(mode="json"),
            **vars(whole),
            **vars(self.trained.cost(point.selection)),
        )
