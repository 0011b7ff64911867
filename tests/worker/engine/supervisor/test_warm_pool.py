"""The supervisor's side of the kept processes: who takes a job, who is ended, who gives way."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from recede.contract.spec.catalog import Device
from recede.contract.states import Lane
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.engine.supervisor.messages import Done, Pause
from recede_worker.engine.supervisor.slots import Slot, make_slots
from recede_worker.engine.supervisor.warm_pool import (
    KEEP_GPU_S,
    WarmPool,
    WarmProcess,
)

FORK = multiprocessing.get_context("fork")
EVALUATE, OTHERS = (
    slot for slot in make_slots([Device(name="cpu", label="")]) if slot.lane is Lane.INTERACTIVE
)


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[WarmPool]:
    made = WarmPool(WorkerSettings("sqlite://", tmp_path, (), 1, keep_s=100.0), FORK)
    yield made
    for process in made.idle():
        process.kill()
        process.join()


def alive() -> BaseProcess:
    process = FORK.Process(target=time.sleep, args=(600,), daemon=True)
    process.start()
    return process


def dead() -> BaseProcess:
    process = FORK.Process(target=os.getpid)
    process.start()
    process.join()
    return process


def join(
    pool: WarmPool, slot: Slot, process: BaseProcess, **state: Any
) -> tuple[WarmProcess, Any]:
    ours, theirs = FORK.Pipe()
    warm = pool.by_slot[slot] = WarmProcess(process, ours, **state)
    return warm, theirs


def test_a_dead_process_is_forgotten_even_if_it_died_at_a_job(pool):
    join(pool, EVALUATE, dead(), job_id=7)
    join(pool, OTHERS, dead())
    pool.end_unneeded(time.monotonic())
    assert pool.pipes() == []
    assert pool.pid(EVALUATE) is None


def test_a_process_that_is_idle_for_long_is_ended_and_one_at_work_is_not(pool):
    idle, _ = join(pool, EVALUATE, alive())
    busy, _ = join(pool, OTHERS, alive(), job_id=7)
    pool.end_unneeded(idle.idle_since + 99)
    assert list(pool.by_slot.values()) == [idle, busy]
    pool.end_unneeded(idle.idle_since + 101)
    assert list(pool.by_slot.values()) == [busy]
    idle.process.join(60)
    assert not idle.process.is_alive()
    busy.process.kill()


def test_on_a_gpu_memory_is_freed_earlier(pool, tmp_path):
    patient = WarmPool(WorkerSettings("sqlite://", tmp_path, (), 1), FORK)
    gpu = Slot(Lane.INTERACTIVE, "cuda:0", None, kinds=EVALUATE.kinds)
    warm, _ = join(patient, gpu, alive())
    patient.end_unneeded(warm.idle_since + KEEP_GPU_S + 1)
    assert patient.by_slot == {}
    warm.process.join(60)


def test_a_process_that_reports_it_is_not_reusable_gets_no_other_job(pool):
    warm, theirs = join(pool, EVALUATE, alive(), job_id=7)
    assert not warm.has_ended(7)
    theirs.send(Done(7, is_reusable=False))
    assert warm.has_ended(7)
    assert pool.pid(EVALUATE) is None
    pool.end_unneeded(time.monotonic())
    assert pool.by_slot == {}


def test_while_an_urgent_job_runs_only_the_others_pause(pool):
    _, evaluating = join(pool, EVALUATE, alive(), job_id=7)
    _, other = join(pool, OTHERS, alive(), job_id=8)
    pool.pause(True)
    pool.pause(True)  # sent once
    pool.pause(False)
    assert [other.recv(), other.recv()] == [Pause(True), Pause(False)]
    assert not other.poll()
    assert not evaluating.poll()
    for warm in pool.by_slot.values():
        warm.process.kill()


def test_without_a_time_to_keep_no_slot_is_served_here(tmp_path):
    fresh = WarmPool(WorkerSettings("sqlite://", tmp_path, (), 1, keep_s=0), FORK)
    assert not fresh.serves(EVALUATE)
