"""The process of one job: set up, run the job, and record how it ended."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path

import torch

from recede.contract.errors import RecedeError
from recede.contract.states import JobKind, State
from recede.store.database.engine import WORKER_BUSY_TIMEOUT_S, open_store
from recede.store.queue import jobs
from recede.store.queue import lease as leases
from recede_worker.engine.evaluation.curve_job import run_curve
from recede_worker.engine.evaluation.evaluate_job import run_evaluate
from recede_worker.engine.evaluation.latency_job import run_latency
from recede_worker.engine.evaluation.score_job import run_score
from recede_worker.engine.job.context import JobContext, Outcome
from recede_worker.engine.job.failures import failure_of
from recede_worker.engine.job.heartbeat import Heartbeat
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.engine.job.stop import Cancelled, Interrupted
from recede_worker.engine.pruning.job import run_prune
from recede_worker.engine.training.distributed.team import EXIT_RANK_DIED
from recede_worker.engine.training.distributed.watchdog import RankDied
from recede_worker.engine.training.job import run_training
from recede_worker.process.lifetime import (
    end_with_parent,
    log,
    redirect_output,
)

JOBS: dict[JobKind, Callable[[JobContext], Outcome]] = {
    JobKind.TRAIN: run_training,
    JobKind.CURVE: run_curve,
    JobKind.EVALUATE: run_evaluate,
    JobKind.PRUNE: run_prune,
    JobKind.LATENCY: run_latency,
    JobKind.SCORE: run_score,
}


def main(settings: WorkerSettings, lease: leases.Lease) -> None:
    """Run one claimed job to its end in this process, on the first of its devices."""
    redirect_output(log_of(settings, lease))
    end_with_parent("the worker that started this process")
    torch.set_num_threads(settings.threads)
    store = open_store(settings.store_url, busy_timeout_s=WORKER_BUSY_TIMEOUT_S)
    heartbeat = Heartbeat(settings.store_url, lease, log)
    context = JobContext(
        settings,
        store,
        lease,
        torch.device(lease.devices[0]),
        log,
        heartbeat.publish,
        heartbeat.cancelled,
        beat_now=heartbeat.beat_now,
    )
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's ctrl-C reaches us all
    signal.signal(signal.SIGTERM, lambda *_: context.stopping.set())
    try:
        with context.write(child_pid=os.getpid()):
            pass
        serve(context, heartbeat)
    finally:
        store.close()


def log_of(settings: WorkerSettings, lease: leases.Lease) -> Path:
    """Where all goes that the process says during this job."""
    return settings.run_folder(lease.run_id) / f"job-{lease.job_id}.log"


def serve(context: JobContext, heartbeat: Heartbeat) -> bool:
    """Run the job and record its end; whether the process may take another one afterwards."""
    lease = context.lease
    said = log_of(context.settings, lease)
    log(first_line(lease, goes_on=said.exists() and said.stat().st_size > 0))
    heartbeat.start()
    try:
        return _run(context, heartbeat.stop)
    except leases.LeaseLost as error:
        log(error.message)
        return True
    finally:
        heartbeat.stop()


def first_line(lease: leases.Lease, goes_on: bool) -> str:
    """How a job's log, or its next process in the same log, begins.

    The attempts of a lease are those since the last finished epoch, so they are said as that.
    """
    where = ", ".join(dict.fromkeys(lease.devices))
    if not goes_on:
        return f"{lease.kind} job {lease.job_id} on {where}"
    said = f"{lease.kind} job {lease.job_id} goes on in a new process on {where}"
    if lease.attempt == 1:
        return said
    return f"{said}, attempt {lease.attempt} of {leases.MAX_ATTEMPTS} at what is not finished"


def _run(context: JobContext, last_beat: Callable[[], None]) -> bool:
    """Run the job; every way to end it is written to the store here, and only here.

    No beat may come after that, for it would find the lease gone.
    """
    try:
        outcome = JOBS[context.lease.kind](context)
    except Cancelled:
        log("cancelled")
        last_beat()
        _finish(context, State.CANCELLED)
    except Interrupted:
        log("the worker stops; the job goes back into its queue")
        last_beat()
        with context.store.write() as session:
            leases.hand_back(session, context.lease)
    except leases.LeaseLost:
        raise
    except RankDied as error:
        log(f"{error}; the job ends its attempt")
        os._exit(EXIT_RANK_DIED)  # what the supervisor does then, it does for all that die
    except Exception as error:  # noqa: BLE001 - the boundary of the job: it records the failure
        known = isinstance(error, RecedeError)
        log(f"failed: {error}" if known else traceback.format_exc())
        last_beat()
        with context.write():  # of a deleted run nothing can be read any more: LeaseLost
            pass
        _finish(context, State.FAILED, error=failure_of(error, context.device, context.spec()))
        return known
    else:
        last_beat()
        _succeed(context, outcome)
    return True


def _succeed(context: JobContext, outcome: Outcome) -> None:
    with context.store.write() as session:
        leases.finish(session, context.lease, State.SUCCEEDED, result=outcome.result)
        if outcome.follow_up is not None:
            kind, payload = outcome.follow_up
            jobs.enqueue(session, context.lease.run_id, kind, payload)
    log("done")


def _finish(context: JobContext, state: State, error: dict[str, str] | None = None) -> None:
    with context.store.write() as session:
        leases.finish(session, context.lease, state, error=error)
