"""Slots: what may run side by side. One training a device, two interactive jobs beside them.

An evaluation, for which a user waits, has a slot of its own: it never waits behind a curve,
which in turn pauses while it runs (JobHandle.check).

A training of several processes takes as many GPUs, or the one CPU slot, whose cores it shares.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from recede.contract.spec.catalog import Device
from recede.contract.states import (
    LANES,
    JobKind,
    Lane,
)

URGENT = (JobKind.EVALUATE,)
"""Kinds that a user waits for while dragging the threshold."""
OTHERS = tuple(
    kind for kind, lane in LANES.items() if lane is Lane.INTERACTIVE and kind not in URGENT
)


@dataclass(frozen=True)
class Slot:
    """A place for one job: its lane, its device and the devices that its jobs may request."""

    lane: Lane
    device: str
    accepts: tuple[str, ...] | None
    """None takes any job of the lane: an interactive answer is the same on every device."""
    processes: int = 1
    """How many processes of one job fit on its device."""
    pool: str = ""
    """Slots of one pool may be joined for a job; "" is joined with none."""
    kinds: tuple[JobKind, ...] | None = None
    """None takes every kind of the lane."""


def make_slots(devices: Sequence[Device]) -> list[Slot]:
    """Slots of one machine; "auto" goes to a GPU where there is one."""
    gpus = [device.name for device in devices if device.name.startswith("cuda")]
    cores = max((device.processes for device in devices if device.name == "cpu"), default=1)
    slots = [Slot(Lane.TRAINING, name, ("auto", "cuda", name), pool="cuda") for name in gpus]
    slots.append(Slot(Lane.TRAINING, "cpu", ("cpu",) if gpus else ("auto", "cpu"), cores))
    place = gpus[0] if gpus else "cpu"
    slots += [Slot(Lane.INTERACTIVE, place, None, kinds=kinds) for kinds in (URGENT, OTHERS)]
    return slots


def capacity(slot: Slot, slots: Sequence[Slot]) -> int:
    """Processes that a job there may have at most, once all that it could take is free."""
    return sum(other.processes for other in slots if other == slot or _joined(slot, other))


def spare(slot: Slot, slots: Sequence[Slot], busy: Collection[Slot]) -> list[str]:
    """Devices that a job there may have now beside the slot's own, one for each process."""
    own = [slot.device] * (slot.processes - 1)
    others = [s for s in slots if s != slot and s not in busy and _joined(slot, s)]
    return own + [device for s in others for device in [s.device] * s.processes]


def taken(slot: Slot, slots: Sequence[Slot], devices: Collection[str]) -> list[Slot]:
    """The slots that a job with these devices occupies."""
    return [s for s in slots if s == slot or (_joined(slot, s) and s.device in devices)]


def _joined(slot: Slot, other: Slot) -> bool:
    return bool(slot.pool) and slot.pool == other.pool
