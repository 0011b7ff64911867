"""What rank 0 hears of the other processes: words first, deaths before what they cause."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait

import pytest

from recede_worker.engine.training.distributed import watchdog
from recede_worker.engine.training.distributed.watchdog import (
    RankDied,
    RankFailed,
    Watchdog,
)

SOON_S = 60.0
ERROR = {"code": "out_of_memory", "message": "no room", "hint": "smaller"}


def sends(link: Connection, *words: object) -> None:
    for word in words:
        link.send(word)


def reports_ready_and_waits(link: Connection) -> None:
    sends(link, "ready")
    link.recv()


def is_killed(link: Connection) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fails(link: Connection) -> None:
    sends(link, ERROR)


@contextmanager
def watched(
    *works: Callable[[Connection], None],
    stuck: Callable[[Exception], None] = lambda _: None,
    all_ended: bool = False,
) -> Iterator[Watchdog]:
    context = multiprocessing.get_context("forkserver")
    links, processes = [], []
    for work in works:
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs,))
        process.start()
        theirs.close()
        links.append(ours)
        processes.append(process)
    for process in processes if all_ended else ():
        wait([process.sentinel])  # join() would read the exit status, which can be read only once
    watching = Watchdog(links, processes, stuck)
    try:
        yield watching
    finally:
        watching.stop()
        for link, process in zip(links, processes, strict=True):
            link.close()
            process.kill()
            process.join()


def test_all_are_ready_when_each_has_reported_it():
    with watched(reports_ready_and_waits, reports_ready_and_waits) as watching:
        assert watching.all_ready(SOON_S)
        assert watching.failure(0) is None


def test_an_error_is_reported_with_its_code_and_hint_though_the_process_has_ended():
    with watched(reports_ready_and_waits, fails) as watching:
        failure = watching.failure(SOON_S)
    assert isinstance(failure, RankFailed)
    assert failure.as_dict() == {
        "code": "out_of_memory", "message": "In process 3 of 3: no room", "hint": "smaller",
    }  # fmt: skip


def test_a_death_is_the_reason_for_errors_that_come_with_it():
    with watched(fails, is_killed, all_ended=True) as watching:
        failure = watching.failure(SOON_S)
    assert isinstance(failure, RankDied)
    assert "process 3 of 3" in str(failure)
    assert "signal 9" in str(failure)


def test_a_process_that_goes_on_after_a_failure_is_taken_for_stuck(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(watchdog, "STUCK_S", 0.0)
    reasons: queue.Queue[Exception] = queue.Queue()
    with watched(is_killed, stuck=reasons.put):
        assert isinstance(reasons.get(timeout=SOON_S), RankDied)
