"""The curve job: accuracy of really cut networks over the share of neurons removed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
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
from recede_worker.engine.evaluation.evaluate import evaluate
from recede_worker.engine.evaluation.predictions import Images, Looks
from recede_worker.engine.evaluation.trained_epoch import Subject, load_subject
from recede_worker.engine.inputs.load import method_of
from recede_worker.engine.job.context import JobContext, Outcome

SAVE_S = 0.5
"""Points are kept this often while the job runs."""


def run_curve(context: JobContext) -> Outcome:
    """Measure each ratio of the payload; equal cuts are measured once, what is kept stays."""
    payload = CurvePayload.model_validate(context.lease.payload)
    subject = load_subject(context, payload.epoch)
    curve = _Curve(subject, payload)
    curve.measure()
    lossless = lossless_ratio(curve.known())
    with context.store.read() as session:
        run = runs.get(session, context.lease.run_id)
        is_best = run.best_epoch == curve.place.epoch
    if is_best and curve.is_the_methods_own():
        with context.write() as session:
            runs.set_results(session, context.lease.run_id, lossless_ratio=lossless)
    return Outcome({"lossless_ratio": lossless, "points": len({p.digest for p in curve.points})})


@dataclass(frozen=True)
class _Point:
    ask: float
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
    """One curve: what is asked, what is known of each cut, and what is still to be kept."""

    subject: Subject
    payload: CurvePayload
    place: Place = field(init=False)
    points: list[_Point] = field(init=False)
    found: dict[str, Accuracy] = field(default_factory=dict)
    """By digest."""
    fresh: dict[str, Fresh] = field(default_factory=dict)
    """What was measured on the whole split and is not kept yet, by digest."""
    unsaved: list[_Point] = field(default_factory=list)
    saved_at: float = 0.0

    def __post_init__(self) -> None:
        asked = self.payload
        epoch = self.subject.checkpoint.epoch
        self.place = Place(epoch, asked.criterion, asked.scope, asked.bias)
        self.points = list(self._points())
        self._recall()

    def _points(self) -> Iterator[_Point]:
        context = self.subject.context
        with context.store.read() as session:
            protected = runs.get(session, context.lease.run_id).protected or ()
        for ratio in sorted(self.payload.ratios):
            plan = Plan(
                epoch=self.place.epoch,
                scope=self.payload.scope,
                criterion=self.payload.criterion,
                bias=self.payload.bias,
                ratio=ratio,
            )
            yield _Point(ratio, plan, self.subject.select(with_protected(plan, protected)))

    def _recall(self) -> None:
        """What was measured wholly, and what an earlier attempt of this job has estimated."""
        context, digests = self.subject.context, {point.digest for point in self.points}
        run_id = context.lease.run_id
        with context.store.read() as session:
            since = jobs.get(session, context.lease.job_id).created_at
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
        own = method_of(self.subject.spec).info.scope
        return (self.place.criterion, self.place.scope, self.place.bias) == (
            IMPORTANCE,
            own,
            "drop",
        )

    def measure(self) -> None:
        """All points, then those around the knee on the whole split."""
        context, total = self.subject.context, len(self.points)
        context.progress("measuring", 0, total, "ratios", message="uncut network")
        right_N = self._dense_right()
        self.unsaved = [point for point in self.points if point.digest in self.found]
        started, before, done = time.perf_counter(), len(self.unsaved), len(self.unsaved)
        looks = Looks(self._images(), self._network)
        brackets = self._brackets(looks, right_N)
        for cut, accuracy in self._measured(brackets):
            done += self._note(looks, cut, accuracy)
            self._save_now_and_then()
            spent_s = time.perf_counter() - started
            eta_s = spent_s / (done - before) * (total - done)
            context.progress("measuring", done, total, "ratios", eta_s=eta_s)
            context.check()
        for cut in self._unmeasured_at_the_knee():
            self._note(looks, cut, brackets.measure(cut))
        self._save()
        context.log(
            f"{len(looks.asked)} cuts on {looks.images_run} images altogether, "
            f"{looks.images_run / len(self.subject.validation):.1f} times the split"
        )

    def _measured(self, brackets: Brackets) -> Iterator[tuple[int, Accuracy]]:
        """Each cut that is not known, numbered as its first point, in the order of finding."""
        first = {point.digest: at for at, point in reversed([*enumerate(self.points)])}
        cuts = sorted(at for digest, at in first.items() if digest not in self.found)
        return brackets.exact(cuts) if self.payload.exact else brackets.run(cuts)

    def _images(self) -> Images:
        subject = self.subject
        check = subject.context.check
        return Images(subject.validation, subject.source, subject.data.normalise, check)

    def _brackets(self, looks: Looks, dense_N: Flags) -> Brackets:
        source = self.subject.source
        order_N = source.index(0, len(dense_N)).numpy()
        return Brackets(looks, dense_N, order_N, thrifty=not source.in_memory)

    def _network(self, cut: int) -> nn.Module:
        point, subject = self.points[cut], self.subject
        small = subject.surgeon.cut(point.selection.mask, point.plan.bias)
        return fuse(small, subject.surgeon.fusible).to(subject.context.device)

    def _dense_right(self) -> Flags:
        """Where the uncut network is right; its answers are asked for once and kept."""
        subject, context = self.subject, self.subject.context
        y_N = subject.validation.y_N.cpu().numpy()
        said_N = subject.dense_answers().predicted_N
        if said_N is None:
            everything = np.ones(subject.network.shape.n_neurons, np.bool_)
            dense = subject.surgeon.cut(everything).to(context.device)
            whole = evaluate(dense, subject.validation, subject.data.normalise, context.check)
            said_N = whole.predicted_N.numpy()
            subject.loaded.said_N = said_N
            with context.write() as session:
                subject.keep_dense_answers(session, said_N)
        right: Flags = said_N == y_N
        for point in self.points[:1]:
            if not point.selection.removed:  # a cut that removes nothing is the uncut network
                self.found[point.digest] = measured(int(right.sum()), len(right))
        return right

    def _note(self, looks: Looks, cut: int, accuracy: Accuracy) -> int:
        """Keep what was found of one cut; the number of points that it is."""
        digest = self.points[cut].digest
        self.found[digest] = accuracy
        if accuracy.kind == "measured":
            correct = round(accuracy.value * accuracy.n)
            self.fresh[digest] = Fresh(correct, accuracy.n, looks.loss(cut), looks.seconds(cut))
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

    def _save_now_and_then(self) -> None:
        if time.perf_counter() - self.saved_at >= SAVE_S:
            self._save()

    def _save(self) -> None:
        """Keep what was found since the last time, in one transaction."""
        run_id = self.subject.context.lease.run_id
        with self.subject.context.write() as session:
            for point in self.unsaved:
                curves.put(
                    session,
                    run_id,
                    self.place,
                    ask=point.ask,
                    ratio=point.selection.ratio,
                    digest=point.digest,
                    accuracy=self.found[point.digest],
                    cost=vars(self.subject.cost(point.selection)),
                )
                if point.digest in self.fresh:
                    self._keep_evaluation(session, point, self.fresh.pop(point.digest))
            curves.tell(session, run_id, self.place)
        self.unsaved, self.saved_at = [], time.perf_counter()

    def _keep_evaluation(self, session: Session, point: _Point, whole: Fresh) -> None:
        evaluations.put_evaluation(
            session,
            on_curve=True,
            run_id=self.subject.context.lease.run_id,
            digest=point.digest,
            split="validation",
            epoch=self.place.epoch,
            ratio=point.selection.ratio,
            plan=point.plan.model_dump(mode="json"),
            **vars(whole),
            **vars(self.subject.cost(point.selection)),
        )
