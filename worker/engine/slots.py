"""Slots: what may run side by side. One training a device, one interactive job beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.contract.catalog import Device
from backend.contract.states import Lane


@dataclass(frozen=True)
class Slot:
    """A place for one job: its lane, its device and the devices that jobs there may ask for."""

    lane: Lane
    device: str
    accepts: tuple[str, ...] | None
    """None takes any job of the lane: an interactive answer is the same on every device."""


def make_slots(devices: Sequence[Device]) -> list[Slot]:
    """Slots of one machine; "auto" goes to a GPU where there is one."""
    gpus = [device.name for device in devices if device.name.startswith("cuda")]
    slots = [Slot(Lane.TRAINING, name, ("auto", "cuda", name)) for name in gpus]
    slots.append(Slot(Lane.TRAINING, "cpu", ("cpu",) if gpus else ("auto", "cpu")))
    slots.append(Slot(Lane.INTERACTIVE, gpus[0] if gpus else "cpu", None))
    return slots
