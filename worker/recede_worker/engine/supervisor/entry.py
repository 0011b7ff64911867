"""The process of one job: set up, run the job, and record how it ended."""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import torch

from recede.contract.errors import RecedeError
from recede.contract.states import State
from recede.store.database.engine import WORKER_BUSY_TIMEOUT_S, open_store
from recede.store.queue import jobs
from recede.store.queue import lease as leases
from recede_worker.engine.evaluation.cache import Cache
from recede_worker.engine.inputs.run import run_inputs
from recede_worker.engine.job.failures import failure_of
from recede_worker.engine.job.handle import JobHandle, Outcome
from recede_worker.engine.job.heartbeat import Heartbeat
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.engine.job.stop import Cancelled, Interrupted
from recede_worker.engine.supervisor.dispatch import perform
from recede_worker.engine.training.distributed.watchdog import RankDied
from recede_worker.process.lifetime import (
    EXIT_RANK_DIED,
    end_with_parent,
    log,
    redirect_output,
)


def main(settings: WorkerSettings, lease: leases.Lease) -> None:
    """Run one claimed job to its end in this process, on the first of its devices."""
    redirect_output(log_of(settings, lease))
    end_with_parent("the worker that started this process")
    torch.set_num_threads(settings.threads)
    store = open_store(settings.store_url, busy_timeout_s=WORKER_BUSY_TIMEOUT_S)
    heartbeat = Heartbeat(settings.store_url, lease, log)
    stopping = threading.Event()
    job = JobHandle(
        store=store,
        lease=lease,
        log=log,
        publish=heartbeat.publish,
        beat_now=heartbeat.beat_now,
        cancelled=heartbeat.cancelled,
        stopping=stopping,
    )
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's ctrl-C reaches us all
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    try:
        with job.write(child_pid=os.getpid()):
            pass
        serve(job, settings, heartbeat, Cache())
    finally:
        store.close()


def log_of(settings: WorkerSettings, lease: leases.Lease) -> Path:
    """The file for everything that the process prints during this job."""
    return settings.run_folder(lease.run_id) / f"job-{lease.job_id}.log"


def serve(job: JobHandle, settings: WorkerSettings, heartbeat: Heartbeat, cache: Cache) -> bool:
    """Run the job and record its end; whether the process may take another one afterwards."""
    path = log_of(settings, job.lease)
    log(first_line(job.lease, is_resumed=path.exists() and path.stat().st_size > 0))
    heartbeat.start()
    try:
        return _run(job, settings, cache, heartbeat.stop)
    except leases.LeaseLost as error:
        log(error.message)
        return True
    finally:
        heartbeat.stop()


def first_line(lease: leases.Lease, is_resumed: bool) -> str:
    """The first line of a job's log, or of its next process in the same log.

    The attempts of a lease are those since the last finished epoch, hence the wording.
    """
    where = ", ".join(dict.fromkeys(lease.devices))
    if not is_resumed:
        return f"{lease.kind} job {lease.job_id} on {where}"
    text = f"{lease.kind} job {lease.job_id} resumes in a new process on {where}"
    if lease.attempt == 1:
        return text
    return (
        f"{text}, attempt {lease.attempt} of {leases.MAX_ATTEMPTS} since the last finished epoch"
    )


def _run(
    job: JobHandle, settings: WorkerSettings, cache: Cache, last_beat: Callable[[], None]
) -> bool:
    """Run the job; every way to end it is written to the store here, and only here.

    No beat may come after that, for it would find the lease gone.
    """
    try:
        outcome = perform(job, run_inputs(job, settings), cache)
    except Cancelled:
        log("cancelled")
        last_beat()
        _finish(job, State.CANCELLED)
    except Interrupted:
        log("the worker stops; the job goes back into its queue")
        last_beat()
        with job.store.write() as session:
            leases.hand_back(session, job.lease)
    except leases.LeaseLost:
        raise
    except RankDied as error:
        log(f"{error}; the job ends its attempt")
        os._exit(EXIT_RANK_DIED)  # the supervisor treats it like any process that died
    except Exception as error:  # noqa: BLE001 - the boundary of the job: it records the failure
        is_known = isinstance(error, RecedeError)
        log(f"failed: {error}" if is_known else traceback.format_exc())
        last_beat()
        with job.write():  # raises LeaseLost if the run was deleted
            pass
        run = run_inputs(job, settings)
        _finish(job, State.FAILED, error=failure_of(error, run.device, run.spec))
        return is_known
    else:
        last_beat()
        _succeed(job, outcome)
    return True


def _succeed(job: JobHandle, outcome: Outcome) -> None:
    with job.store.write() as session:
        leases.finish(session, job.lease, State.SUCCEEDED, result=outcome.result)
        if outcome.follow_up is not None:
            kind, payload = outcome.follow_up
            jobs.enqueue(session, job.run_id, kind, payload)
    log("done")


def _finish(job: JobHandle, state: State, error: dict[str, str] | None = None) -> None:
    with job.store.write() as session:
        leases.finish(session, job.lease, state, error=error)
