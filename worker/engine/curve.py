"""The curve job: accuracy of really cut networks over the share of neurons removed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy.orm import Session

from backend.contract.accuracy import Accuracy, Known, around_the_knee, lossless_ratio, measured
from backend.contract.protected import with_protected
from backend.contract.selection import Selection
from backend.contract.specs import IMPORTANCE, CurvePayload, Plan
from backend.store import curves, jobs, results, runs
from backend.store.curves import Place
from worker.engine.context import JobContext, Outcome
from worker.engine.curve_sampler import Flags, Images, Sampler
from worker.engine.evaluate import evaluate
from worker.engine.setup import method_of
from worker.engine.subject import Subject, load_subject

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
            for whole in results.evaluations(session, run_id, self.place.epoch):
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
        context = self.subject.context
        context.progress("measuring", 0, len(self.points), "ratios", message="uncut network")
        sampler = self._sampler()
        started, measured_now, total = time.perf_counter(), 0, len(self.points)
        for done, point in enumerate(self.points, 1):
            context.check()
            if point.digest not in self.found:
                self._one(sampler, point)
                measured_now += 1
            self.unsaved.append(point)
            self._save_now_and_then()
            spent_s = time.perf_counter() - started
            eta_s = spent_s / measured_now * (total - done) if measured_now else None
            context.progress("measuring", done, total, "ratios", eta_s=eta_s)
        for point in self._unmeasured_at_the_knee():
            self._one(sampler, point, whole=True)
            self.unsaved += [one for one in self.points if one.digest == point.digest]
        self._save()
        context.log(
            f"{measured_now} cuts on {sampler.images_run} images altogether, "
            f"{sampler.images_run / len(self.subject.validation):.1f} times the split"
        )

    def _sampler(self) -> Sampler:
        subject = self.subject
        check = subject.context.check
        images = Images(subject.validation, subject.source, subject.data.normalise, check)
        return Sampler(images, self._dense_right(), exact=self.payload.exact)

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

    def _one(self, sampler: Sampler, point: _Point, *, whole: bool = False) -> None:
        subject, started = self.subject, time.perf_counter()
        cut = subject.surgeon.cut(point.selection.mask, point.plan.bias)
        result = sampler.measure(cut.to(subject.context.device), whole=whole)
        self.found[point.digest] = result.accuracy
        if result.loss is not None:
            correct = round(result.accuracy.value * result.accuracy.n)
            self._note(point.digest, correct, result.loss, time.perf_counter() - started)

    def _note(self, digest: str, correct: int, loss: float, seconds: float) -> None:
        n = len(self.subject.validation)
        self.found[digest] = measured(correct, n)
        self.fresh[digest] = Fresh(correct, n, loss, seconds)

    def _unmeasured_at_the_knee(self) -> Iterator[_Point]:
        """Estimated points beside the fall, until there are none: measuring may move it."""
        while True:
            near = around_the_knee(self.known())
            ratios = {one.ratio for one in near if one.accuracy.kind != "measured"}
            point = next((p for p in self.points if p.selection.ratio in ratios), None)
            if point is None:
                return
            yield point

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
        results.put_evaluation(
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
