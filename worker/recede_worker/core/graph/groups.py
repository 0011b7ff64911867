"""Which channels must be cut together: groups found in a trace, with the reason of each refusal.

A unit is what is kept or removed as one: a channel, or where a grouped convolution reads the
channels, all those of one of its groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import nn

from recede_worker.core.graph.layers import (
    is_grouped,
    is_norm,
    kind_of,
    width_of,
)
from recede_worker.core.graph.outside import Flags
from recede_worker.core.graph.rig import OUTPUT
from recede_worker.core.graph.trace import Index, Trace
from recede_worker.core.norms.bounded import can_be_bounded

Side = Literal["in", "out"]
SHOWN = 3  # layers that a reason names
LAST = "they form the network's output"


@dataclass(frozen=True)
class Coupling:
    """Layer `name` loses slice k on its `side` when unit `units[k]` goes.

    Layers that have one width only (batch norms, depthwise and grouped convolutions) lose it
    on the side "out". A layer that adds its output to what it reads has one on each side.
    """

    name: str
    side: Side
    units: Index


@dataclass(frozen=True)
class Channels:
    """The channels of some layers that only go together, or why they cannot go at all."""

    members: tuple[str, ...]
    """Layers that make them: convolutions, and linear layers that gate them, as called."""
    size: int
    """Number of units."""
    couplings: tuple[Coupling, ...]
    refusal: str
    """Why they cannot be cut; empty if they can."""

    def scaling(self, model: nn.Module) -> list[str]:
        """The batch norms that scale them, in the order of calls."""
        return [
            coupling.name
            for coupling in self.couplings
            if is_norm(layer := model.get_submodule(coupling.name)) and can_be_bounded(layer)
        ]

    def norms(self, trace: Trace, model: nn.Module) -> tuple[str, ...]:
        """The batch norms by which a unit can be silenced, in the order of calls; () if none can.

        One, the last one, if it is enough by itself; else the fewest that are together, for
        example those of all branches that a sum joins. A unit whose scales and biases are zero
        in all of them is unread by the rest of the network, so that masking and removing it
        are the same function.
        """
        able = self.scaling(model)
        alone = self._silencing(trace, [[norm] for norm in able])
        single = [norm for norm, is_enough in zip(able, alone, strict=True) if is_enough]
        if single:
            return (single[-1],)
        if len(able) < 2 or not self._silencing(trace, [able])[0]:
            return ()
        return tuple(self._fewest(trace, able))

    def _fewest(self, trace: Trace, norms: list[str]) -> list[str]:
        """Of norms that silence a unit together those without which the others do not."""
        spare = self._silencing(trace, _without_each(norms))
        needed = [norm for norm, others_do in zip(norms, spare, strict=True) if not others_do]
        if needed and self._silencing(trace, [needed])[0]:
            return needed
        chosen = list(norms)
        for norm in norms:  # the later ones are those whose channels the readers see
            rest = [other for other in chosen if other != norm]
            if rest and self._silencing(trace, [rest])[0]:
                chosen = rest
        return chosen

    def _silencing(self, trace: Trace, sets: Sequence[Sequence[str]]) -> list[bool]:
        """For each set of norms: whether all that read the channels read zeros if it is silent."""
        return [self._is_silenced(zeros) for zeros in trace.silenced(sets)]

    def _is_silenced(self, zeros: Mapping[str, bool]) -> bool:
        return all(zeros[coupling.name] for coupling in self.couplings if coupling.side == "in")


def look_ahead(trace: Trace, model: nn.Module, found: Sequence[Channels]) -> None:
    """Silence at once what the `norms` of each would ask for one after the other."""
    able = [channels.scaling(model) for channels in found]
    trace.silenced([[norm] for names in able for norm in names])
    several = [
        (channels, names)
        for channels, names in zip(found, able, strict=True)
        if len(names) > 1 and not any(channels._silencing(trace, [[norm] for norm in names]))
    ]
    trace.silenced([names for _, names in several])
    held = [names for channels, names in several if channels._silencing(trace, [names])[0]]
    trace.silenced([others for names in held for others in _without_each(names)])


def _without_each(norms: Sequence[str]) -> list[list[str]]:
    return [[other for other in norms if other != norm] for norm in norms]


class _Refused(Exception):
    """Why channels cannot be cut."""


def channels_of(trace: Trace, model: nn.Module) -> list[Channels]:
    """All channels of a traced network, joined where they only go together, as first called."""
    order = {name: place for place, name in enumerate(trace.calls)}
    found = []
    for sources in _joined(trace, model):
        members = tuple(trace.sources[source] for source in sources)
        try:
            size, couplings = _couplings(trace, model, sources)
            couplings.sort(key=lambda coupling: order[coupling.name])
            found.append(Channels(members, size, tuple(couplings), ""))
        except _Refused as refused:
            found.append(Channels(members, 0, (), str(refused)))
    return found


def _joined(trace: Trace, model: nn.Module) -> list[list[int]]:
    """Sources whose channels meet in one slice, or in one group of a grouped convolution."""
    find, join = _partition(len(trace.sources))
    number = {name: source for source, name in enumerate(trace.sources)}
    for name, reading in trace.readings.items():
        packed = np.packbits(reading.sources, axis=0).T.copy()
        for together in {column.tobytes() for column in packed}:
            bits = np.unpackbits(np.frombuffer(together, np.uint8))
            met = np.flatnonzero(bits).tolist()
            if name and met and is_grouped(model.get_submodule(name)):
                met.append(number[name])
            for other in met[1:]:
                join(met[0], other)
    parts: dict[int, list[int]] = {}
    for source in range(len(trace.sources)):
        parts.setdefault(find(source), []).append(source)
    return list(parts.values())


def _partition(n: int) -> tuple[Callable[[int], int], Callable[[int, int], None]]:
    """Find and join of n numbers that are alone at first."""
    parent = list(range(n))

    def find(number: int) -> int:
        while parent[number] != number:
            number = parent[number]
        return number

    def join(one: int, other: int) -> None:
        low, high = sorted((find(one), find(other)))
        parent[high] = low

    return find, join


def _couplings(trace: Trace, model: nn.Module, sources: list[int]) -> tuple[int, list[Coupling]]:
    members = [trace.sources[source] for source in sources]
    layers = {name: model.get_submodule(name) for name in members}
    widths = {
        name: width_of(layer)
        for name, layer in layers.items()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    }
    size = _units(model, widths)
    per_unit = np.array([widths[name] // size for name in members])
    for name in members:
        if name in trace.whole:
            raise _Refused(trace.whole[name])
    couplings = []
    for name in members:
        _once(trace, name)
        units = np.arange(widths[name]) // (widths[name] // size)
        couplings.append(Coupling(name, "out", units))
    for name, reached in _readers(trace, sources):
        units = _read_units(trace, name, reached, sources, per_unit, size)
        layer = model.get_submodule(name)
        if name in widths and is_grouped(layer):
            _check_grouped(layer, name, units, size)
            continue
        narrow = is_norm(layer) or bool(kind_of(layer))
        side: Side = "out" if narrow else "in"
        couplings.append(Coupling(name, side, units))
    return size, couplings


def _readers(trace: Trace, sources: list[int]) -> Iterator[tuple[str, Flags]]:
    """Layers that these sources reach, and which of their slices."""
    for name, reading in trace.readings.items():
        reached: Flags = np.asarray(reading.sources[sources].any(axis=0))
        if reached.any():
            yield name, reached


def _units(model: nn.Module, widths: dict[str, int]) -> int:
    """Number of units: the groups of grouped convolutions, otherwise the channels."""
    layers = {name: model.get_submodule(name) for name in widths}
    counts = {_groups(layer) for layer in layers.values() if is_grouped(layer)}
    counts = counts or set(widths.values())
    if len(counts) > 1 or any(width % max(counts) for width in widths.values()):
        names = sorted(widths)
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        raise _Refused(f"{' and '.join(names[:SHOWN])}{more} are joined, but differ in width")
    return counts.pop()


def _read_units(
    trace: Trace,
    name: str,
    reached: Flags,
    sources: list[int],
    per_unit: Index,
    size: int,
) -> Index:
    """The unit that reaches each slice of a layer.

    Raises:
        _Refused: the layer also reads others, mixes units in one slice, has more slices of
            one unit than of another, or reads them in an order that a cut would change.
    """
    if name == OUTPUT:
        raise _Refused(LAST)
    _once(trace, name)
    reading = trace.readings[name]
    if not reached.all():
        raise _Refused(f"{name!r} joins these channels with others")
    if (reading.index < 0).any():
        raise _Refused(f"the channels are mixed with each other on the way to {name!r}")
    reaching = reading.sources[sources]
    units_SW = reading.index // per_unit[:, None]
    units: Index = np.asarray(np.where(reaching, units_SW, -1).max(axis=0))
    if (reaching & (units_SW != units)).any():
        raise _Refused(f"{name!r} joins channels of different places")
    owned = np.bincount(units, minlength=size)
    if (owned != owned[0]).any():
        raise _Refused(f"{name!r} reads some of these channels more often than others")
    places = np.arange(len(units))
    if (units != places // owned[0]).any() and (units != places % size).any():
        raise _Refused(f"the channels change places on the way to {name!r}")
    return units


def _check_grouped(layer: nn.Module, name: str, units: Index, size: int) -> None:
    """A member that reads the channels is a grouped convolution: group u must read unit u."""
    wanted = np.arange(len(units)) // (len(units) // size)
    if _groups(layer) != size or (units != wanted).any():
        raise _Refused(f"{name!r} adds its output to its own input")


def _once(trace: Trace, name: str) -> None:
    if trace.calls[name] != 1:
        raise _Refused(f"{name!r} is used {trace.calls[name]} times in one pass")


def _groups(layer: nn.Module) -> int:
    return layer.groups if isinstance(layer, nn.Conv2d) else 1
