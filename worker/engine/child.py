"""The process of one job: set up, run the job, and record how it ended."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import wait
from pathlib import Path

import torch

from backend.contract.errors import RecedeError
from backend.contract.states import JobKind, State
from backend.store import jobs
from backend.store import lease as leases
from backend.store.engine import WORKER_BUSY_TIMEOUT_S, open_store
from worker.engine.context import JobContext, Outcome
from worker.engine.curve import run_curve, run_evaluate
from worker.engine.heartbeat import Heartbeat
from worker.engine.prune import run_prune
from worker.engine.settings import WorkerSettings
from worker.engine.signals import Cancelled, Interrupted
from worker.engine.trainer import run_training

EXIT_ORPHANED = 77

JOBS: dict[JobKind, Callable[[JobContext], Outcome]] = {
    JobKind.TRAIN: run_training,
    JobKind.CURVE: run_curve,
    JobKind.EVALUATE: run_evaluate,
    JobKind.PRUNE: run_prune,
}


def main(settings: WorkerSettings, lease: leases.Lease, device: str) -> None:
    """Run one claimed job to its end in this process."""
    log_path = settings.run_folder(lease.run_id) / f"job-{lease.job_id}.log"
    _redirect_output(log_path)
    _end_with_parent()
    torch.set_num_threads(settings.threads)
    store = open_store(settings.store_url, busy_timeout_s=WORKER_BUSY_TIMEOUT_S)
    heartbeat = Heartbeat(settings.store_url, lease, _log)
    context = JobContext(
        settings, store, lease, torch.device(device), _log, heartbeat.publish, heartbeat.cancelled
    )
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's ctrl-C reaches us all
    signal.signal(signal.SIGTERM, lambda *_: context.stopping.set())
    _log(f"{lease.kind} job {lease.job_id}, attempt {lease.attempt}, on {device}")
    with context.write(child_pid=os.getpid()):
        pass
    heartbeat.start()
    try:
        _run(context)
    except leases.LeaseLost as error:
        _log(error.message)
    finally:
        heartbeat.stop()
        store.close()


def _run(context: JobContext) -> None:
    """Run the job; every way to end it is written to the store here, and only here."""
    try:
        outcome = JOBS[context.lease.kind](context)
    except Cancelled:
        _log("cancelled")
        _finish(context, State.CANCELLED)
    except Interrupted:
        _log("the worker stops; the job goes back into its queue")
        with context.store.write() as session:
            leases.hand_back(session, context.lease)
    except leases.LeaseLost:
        raise
    except RecedeError as error:
        _log(f"failed: {error.message}")
        _finish(context, State.FAILED, error=error.as_dict())
    except (torch.OutOfMemoryError, MemoryError) as error:
        _log(traceback.format_exc())
        _finish(context, State.FAILED, error=_out_of_memory(context, error))
    except Exception as error:  # noqa: BLE001 - the boundary of the job: it records the failure
        _log(traceback.format_exc())
        _finish(context, State.FAILED, error=_unexpected(error))
    else:
        _succeed(context, outcome)


def _succeed(context: JobContext, outcome: Outcome) -> None:
    with context.store.write() as session:
        leases.finish(session, context.lease, State.SUCCEEDED, result=outcome.result)
        if outcome.follow_up is not None:
            kind, payload = outcome.follow_up
            jobs.enqueue(session, context.lease.run_id, kind, payload)
    _log("done")


def _finish(context: JobContext, state: State, error: dict[str, str] | None = None) -> None:
    with context.store.write() as session:
        leases.finish(session, context.lease, state, error=error)


def _out_of_memory(context: JobContext, error: BaseException) -> dict[str, str]:
    peak = ""
    if context.device.type == "cuda":
        peak = f" (peak {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB)"
    return {
        "code": "out_of_memory",
        "message": f"The device ran out of memory{peak}: {error}",
        "hint": "Start the run again with a smaller batch size or a smaller width.",
    }


def _unexpected(error: Exception) -> dict[str, str]:
    return {
        "code": "internal",
        "message": f"{type(error).__name__}: {error}",
        "hint": "The log of this job has the details.",
    }


def _log(text: str) -> None:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for line in text.splitlines():
        sys.stderr.write(f"{stamp} {line}\n")
    sys.stderr.flush()


def _redirect_output(path: Path) -> None:
    """Everything this process says, a native crash included, goes to the job's log."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    faulthandler.enable()


def _end_with_parent() -> None:
    """Watch the supervisor: when it is gone, this process may not go on alone."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        _log("the supervisor is gone; ending")
        os._exit(EXIT_ORPHANED)

    threading.Thread(target=watch, name="parent", daemon=True).start()
