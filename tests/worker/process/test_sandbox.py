"""A function in a process of its own cannot take the memory, the time or the process of a job."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest
import torch

from recede.contract.errors import InvalidInput
from recede_worker.process.limits import Limits
from recede_worker.process.sandbox import LimitReached, run_limited

WIDE = Limits(memory_gb=4, seconds=60)


def doubled(number: int) -> int:
    return 2 * number


def refusing() -> None:
    raise InvalidInput("too wide", field="architecture", hint="take a narrow one")


def failing() -> None:
    raise KeyError("stem")


def greedy(wrapped: bool) -> int:
    try:
        return len([torch.empty(2**27) for _ in range(64)])  # 32 GiB
    except RuntimeError as error:
        if not wrapped:
            raise
        raise InvalidInput("cannot take such images") from error


def crashing() -> None:
    os.abort()


def endless(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    while True:
        time.sleep(0.05)


def test_the_result_comes_back_from_another_process():
    assert run_limited("Doubling", doubled, 21, limits=WIDE) == 42
    assert run_limited("Asking", os.getpid, limits=WIDE) != os.getpid()


def test_a_refusal_comes_back_as_it_was_said():
    with pytest.raises(InvalidInput, match="too wide") as caught:
        run_limited("Tracing", refusing, limits=WIDE)
    assert (caught.value.field, caught.value.hint) == ("architecture", "take a narrow one")


@pytest.mark.parametrize("wrapped", [False, True])
def test_memory_beyond_the_limit_is_refused_in_words(wrapped):
    with pytest.raises(LimitReached, match=r"Tracing x needs more than the 1 GiB") as caught:
        run_limited("Tracing x", greedy, wrapped, limits=Limits(1, 60))
    assert "RECEDE_TRACE_GB" in caught.value.hint
    assert caught.value.field == "architecture"


def test_a_crash_and_an_unknown_error_are_told():
    with pytest.raises(LimitReached, match="Tracing x crashed its process with signal 6"):
        run_limited("Tracing x", crashing, limits=WIDE)
    with pytest.raises(LimitReached, match="Tracing x failed: KeyError: 'stem'"):
        run_limited("Tracing x", failing, limits=WIDE)


def test_what_takes_too_long_is_ended(tmp_path):
    path = tmp_path / "pid"
    with pytest.raises(LimitReached, match=r"longer than 0\.5 seconds"):
        run_limited("Tracing", endless, str(path), limits=Limits(4, 0.5))
    assert not path.exists() or not psutil.pid_exists(int(path.read_text() or 0))


def test_a_cancelled_job_ends_it(tmp_path):
    path = tmp_path / "pid"

    class Cancelled(Exception):
        pass

    def check() -> None:
        if path.exists() and path.read_text():
            raise Cancelled

    with pytest.raises(Cancelled):
        run_limited("Tracing", endless, str(path), limits=WIDE, check=check)
    assert not psutil.pid_exists(int(path.read_text()))


def test_limits_come_from_the_environment():
    assert Limits.read({}) == Limits(4.0, 120.0)
    limits = Limits.read({"RECEDE_TRACE_GB": "1.5", "RECEDE_TRACE_S": "7"})
    assert limits == Limits(1.5, 7.0)
    assert limits.isolate
    assert not Limits.read({"RECEDE_TRACE_GB": "0"}).isolate


@pytest.mark.parametrize("given", ["much", "-1", "nan", "inf"])
def test_a_limit_that_is_not_a_number_is_refused(given):
    with pytest.raises(InvalidInput, match=f"RECEDE_TRACE_S is '{given}'"):
        Limits.read({"RECEDE_TRACE_S": given})
