"""What every process of a job does first: write to the job's log, and end with its parent."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path

EXIT_ORPHANED = 77
EXIT_RANK_DIED = 78
"""One of the processes that share a job died; the others end their attempt."""


def log(text: str) -> None:
    """Write lines with their time to the job's log."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for line in text.splitlines():
        sys.stderr.write(f"{stamp} {line}\n")
    sys.stderr.flush()


def redirect_output(path: Path) -> None:
    """Send everything this process prints, a native crash included, to the job's log."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    faulthandler.enable()


@contextmanager
def output_to(path: Path) -> Iterator[None]:
    """Redirect the output for the length of one job."""
    before = [os.dup(1), os.dup(2)]
    try:
        redirect_output(path)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, number in zip(before, (1, 2), strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)


def warm_context(*modules: str) -> ForkServerContext | SpawnContext:
    """Starts processes from a server that has imported these modules and ends with this process.

    Never a fork of this process itself, which may have threads and a GPU.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(modules))
    return context


def end_with_parent(parent_is: str) -> None:
    """End this process as soon as the one that started it is gone."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        log(f"{parent_is} is gone; ending")
        os._exit(EXIT_ORPHANED)

    threading.Thread(target=watch, name="parent", daemon=True).start()
