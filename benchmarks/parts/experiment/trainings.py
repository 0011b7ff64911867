"""Trainings and cuts through the queue of a service; what it holds already is not done again."""

from __future__ import annotations

import functools
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.parts.sizes import Spec
from recede.client import ApiError, JobOut, RecedeClient
from recede.contract.cut.targets import OpenPlan, Target
from recede.contract.schemas import EvaluationOut, RunOut
from recede.contract.spec.run import Plan
from recede.contract.states import JobKind, State

T = TypeVar("T")
POLL_S = 0.5
PATIENCE_S = 120.0
"""A machine that trains on all of its cores may be slow to answer."""


def submit(client: RecedeClient, name: str, spec: Spec) -> RunOut:
    """The run of that name and spec: queued now, or the one that was queued before."""
    whole = {**spec, "name": name}
    key = hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
    return client.create_run(whole, idempotency_key=key).run


@dataclass(frozen=True)
class Trainings:
    """What a benchmark asks of a service, each answer waited for."""

    client: RecedeClient
    say: Callable[[str], None]

    def finished(self, name: str, spec: Spec) -> RunOut:
        """The finished run of a spec; one that failed or was cancelled earlier goes on once.

        Raises:
            RuntimeError: it failed or was cancelled now.
        """
        run = self._ask(lambda: submit(self.client, name, spec))
        if run.state in (State.FAILED, State.CANCELLED):
            self.client.resume_run(run.id)
            run = self._run(run)
        while not run.state.is_final:
            time.sleep(POLL_S)
            before, run = run.epochs_done, self._run(run)
            if run.epochs_done != before:
                self.say(f"{name}: {run.epochs_done} of {run.spec.epochs} epochs")
        if run.state is not State.SUCCEEDED:
            raise RuntimeError(f"{name}: {run.error.message if run.error else run.state}")
        return run

    def without_curve(self, run: RunOut) -> None:
        """Cancel what would measure the whole curve of a run, where nobody will look at it."""
        for job in self._unfinished(run):
            if job.kind is JobKind.CURVE:
                self.client.cancel_job(job.id)

    def with_curve(self, run: RunOut) -> RunOut:
        """The run once its curve is measured, with its lossless ratio."""
        while self._unfinished(run):
            time.sleep(POLL_S)
        return self._run(run)

    def validation_accuracies(self, run: RunOut) -> list[float | None]:
        """Of every epoch, the one before any training first."""
        found = self._ask(lambda: self.client.epochs(run.id)).items
        return [epoch.val_accuracy for epoch in found]

    def plan(self, run: RunOut, criterion: str, share: float) -> Plan | None:
        """The largest cut with at most that share of the multiply-adds; None if none is so small.

        The neurons must have been scored by the criterion.
        """
        target = Target(kind="macs", value=share, relative=True)
        wanted = OpenPlan(criterion=criterion)
        solved = self._ask(lambda: self.client.solve(run.id, target, wanted))
        return solved.plan if solved.reached else None

    def score(self, run: RunOut, criterion: str) -> None:
        """Have the neurons of the best epoch scored; raises RuntimeError."""
        job = self._ask(lambda: self.client.compute_scores(run.id, criterion)).job
        if job is not None:
            self._wait(job)

    def measured(self, run: RunOut, plan: Plan) -> EvaluationOut:
        """The really cut network on all validation images; raises RuntimeError."""
        answer = self._ask(lambda: self.client.evaluate(run.id, plan))
        if answer.job is not None:
            self._wait(answer.job)
            answer = self._ask(lambda: self.client.evaluate(run.id, plan))
        if answer.evaluation is None:
            raise RuntimeError(f"run {run.id}: {plan} was measured, and nothing is known of it")
        return answer.evaluation

    def macs(self, run: RunOut) -> int:
        """Of the uncut network, for one image."""
        return self._ask(lambda: self.client.preview(run.id, Plan(ratio=0.0))).cost.macs

    def _run(self, run: RunOut) -> RunOut:
        return self._ask(lambda: self.client.run(run.id))

    def _unfinished(self, run: RunOut) -> list[JobOut]:
        found = self._ask(lambda: self.client.jobs(run_id=run.id)).items
        return [job for job in found if not job.state.is_final]

    def _wait(self, job: JobOut) -> None:
        while not job.state.is_final:
            time.sleep(POLL_S)
            job = self._ask(functools.partial(self.client.job, job.id))
        if job.state is not State.SUCCEEDED:
            why = job.error.message if job.error else job.state
            raise RuntimeError(f"{job.kind} of run {job.run_id}: {why}")

    def _ask(self, call: Callable[[], T]) -> T:
        """The answer to a request that may be sent twice; ApiError if there is none for long."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return call()
            except ApiError as error:
                if error.status or time.monotonic() > deadline:
                    raise
            time.sleep(POLL_S)
