"""Slots of a machine: what a training of several processes may have and what it occupies."""

from __future__ import annotations

from recede.contract.spec.catalog import Device
from recede.contract.states import (
    LANES,
    JobKind,
    Lane,
)
from recede_worker.engine.supervisor.slots import (
    Slot,
    capacity,
    make_slots,
    spare,
    taken,
)

CPU = Device(name="cpu", label="", processes=4)
GPUS = [Device(name=f"cuda:{index}", label="") for index in range(3)]


def by_name(slots: list[Slot]) -> dict[tuple[Lane, str], Slot]:
    return {(slot.lane, slot.device): slot for slot in slots}


def test_without_a_gpu_the_cpu_serves_as_many_processes_as_it_has_cores():
    slots = make_slots([CPU])
    training, interactive, _ = slots
    assert training.accepts == ("auto", "cpu")
    assert capacity(training, slots) == 4
    assert spare(training, slots, []) == ["cpu"] * 3
    assert taken(training, slots, ("cpu", "cpu")) == [training]
    assert capacity(interactive, slots) == 1
    assert spare(interactive, slots, []) == []


def test_a_training_may_have_every_gpu_that_is_free_and_no_cpu():
    slots = make_slots([CPU, *GPUS])
    at = by_name(slots)
    first, second, third = (at[Lane.TRAINING, gpu.name] for gpu in GPUS)
    assert capacity(first, slots) == 3
    assert spare(first, slots, []) == ["cuda:1", "cuda:2"]
    assert spare(first, slots, [second]) == ["cuda:2"]
    assert taken(first, slots, ("cuda:0", "cuda:2")) == [first, third]
    assert at[Lane.TRAINING, "cpu"].accepts == ("cpu",)
    assert capacity(at[Lane.TRAINING, "cpu"], slots) == 4


def test_an_interactive_job_occupies_its_own_slot_only():
    slots = make_slots([CPU, *GPUS])
    interactive = slots[-1]
    assert interactive.lane is Lane.INTERACTIVE
    assert capacity(interactive, slots) == 1
    assert taken(interactive, slots, ("cuda:0",)) == [interactive]


def test_an_evaluation_has_a_slot_that_no_other_kind_can_take():
    interactive = [slot for slot in make_slots([CPU]) if slot.lane is Lane.INTERACTIVE]
    kinds = [slot.kinds for slot in interactive if slot.kinds is not None]
    assert kinds[0] == (JobKind.EVALUATE,)
    assert sorted(kind for slot in kinds for kind in slot) == sorted(
        kind for kind, lane in LANES.items() if lane is Lane.INTERACTIVE
    )
