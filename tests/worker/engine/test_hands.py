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
from recede_worker.engine.supervisor.slots import Slot, make_slots
from recede_worker.engine.supervisor.warm_pool import (
    KEEP_GPU_S,
    Hand,
    Hands,
)
from recede_worker.engine.supervisor.warm_process import Done, GiveWay

FORK = multiprocessing.get_context("fork")
EVALUATE, OTHERS = (
    slot for slot in make_slots([Device(name="cpu", label="")]) if slot.lane is Lane.INTERACTIVE
)


@pytest.fixture
def hands(tmp_path: Path) -> Iterator[Hands]:
    made = Hands(WorkerSettings("sqlite://", tmp_path, (), 1, keep_s=100.0), FORK)
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


def join(hands: Hands, slot: Slot, process: BaseProcess, **state: Any) -> tuple[Hand, Any]:
    ours, theirs = FORK.Pipe()
    hand = hands.by_slot[slot] = Hand(process, ours, **state)
    return hand, theirs


def test_a_dead_process_is_forgotten_even_if_it_died_at_a_job(hands):
    join(hands, EVALUATE, dead(), job_id=7)
    join(hands, OTHERS, dead())
    hands.tidy(time.monotonic())
    assert hands.ears() == []
    assert hands.pid(EVALUATE) is None


def test_a_process_that_is_idle_for_long_is_ended_and_one_at_work_is_not(hands):
    idle, _ = join(hands, EVALUATE, alive())
    busy, _ = join(hands, OTHERS, alive(), job_id=7)
    hands.tidy(idle.idle_since + 99)
    assert list(hands.by_slot.values()) == [idle, busy]
    hands.tidy(idle.idle_since + 101)
    assert list(hands.by_slot.values()) == [busy]
    idle.process.join(60)
    assert not idle.process.is_alive()
    busy.process.kill()


def test_on_a_gpu_memory_is_freed_earlier(hands, tmp_path):
    patient = Hands(WorkerSettings("sqlite://", tmp_path, (), 1), FORK)
    gpu = Slot(Lane.INTERACTIVE, "cuda:0", None, kinds=EVALUATE.kinds)
    hand, _ = join(patient, gpu, alive())
    patient.tidy(hand.idle_since + KEEP_GPU_S + 1)
    assert patient.by_slot == {}
    hand.process.join(60)


def test_a_process_that_says_it_is_used_up_gets_no_other_job(hands):
    hand, theirs = join(hands, EVALUATE, alive(), job_id=7)
    assert not hand.has_ended(7)
    theirs.send(Done(7, keep=False))
    assert hand.has_ended(7)
    assert hands.pid(EVALUATE) is None
    hands.tidy(time.monotonic())
    assert hands.by_slot == {}


def test_while_a_person_waits_only_the_other_jobs_give_way(hands):
    _, evaluating = join(hands, EVALUATE, alive(), job_id=7)
    _, other = join(hands, OTHERS, alive(), job_id=8)
    hands.give_way(True)
    hands.give_way(True)  # said once
    hands.give_way(False)
    assert [other.recv(), other.recv()] == [GiveWay(True), GiveWay(False)]
    assert not other.poll()
    assert not evaluating.poll()
    for hand in hands.by_slot.values():
        hand.process.kill()


def test_without_a_time_to_keep_no_slot_is_served_here(tmp_path):
    fresh = Hands(WorkerSettings("sqlite://", tmp_path, (), 1, keep_s=0), FORK)
    assert not fresh.serves(EVALUATE)
