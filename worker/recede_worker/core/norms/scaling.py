"""The batch norms that scale a group: one, or several where a sum joins what they scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Norm = str | tuple[str, ...]
"""Name of the one norm of a group, or of all that scale it together, in the order of calls."""
Norms = Mapping[str, Norm]
"""First convolution of each group → its norm or norms, in network order."""


def names_of(norm: Norm) -> tuple[str, ...]:
    """The names, also of one."""
    return (norm,) if isinstance(norm, str) else tuple(norm)


def all_names(norms: Iterable[Norm]) -> list[str]:
    """The names of all norms of several groups."""
    return [name for norm in norms for name in names_of(norm)]


def from_json(norms: Mapping[str, str | list[str]]) -> dict[str, Norm]:
    """What JSON made of them: tuples were lists."""
    return {name: norm if isinstance(norm, str) else tuple(norm) for name, norm in norms.items()}
