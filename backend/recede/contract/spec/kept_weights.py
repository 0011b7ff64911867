"""Which epochs keep their weights, and whether the disk has room for them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from recede.contract.errors import StorageProblem
from recede.contract.spec.run import RunSpec

MB = 1_000_000
NEEDED = 3
"""Weights that any training has on disk at once: the best, the last, and the one written."""
ENDED = 2
"""Of them those that stay: the best and the last."""
GIVEN = 1
"""The weights that a run starts from, as epoch 0, if it was given any."""
STATE = 2
"""The trainer's state, in weights: it has momenta too. While it is replaced there are two."""
TEXTS = 200_000
"""Bytes of manifest, source and log beside the weights; of the store for each epoch far less."""


def stride(last: int, n_bytes: int, budget: int) -> int | None:
    """Every how many epochs weights are kept, up to epoch `last`; None: of no earlier epoch.

    The smallest power of two with which the weights (`n_bytes` an epoch) fit the budget. It
    only grows with `last`, and multiples of the next one are multiples of this one: epochs
    that are kept stay evenly spread, and none that is gone would be wanted again.
    """
    if n_bytes > budget:
        return None
    k = 1
    while last // k * n_bytes > budget:
        k *= 2
    return k if k <= max(last, 1) else None


def kept(
    epochs: Collection[int], *, always: Collection[int], n_bytes: int, budget: int
) -> set[int]:
    """Of those epochs whose weights are there, the ones that stay.

    `always` stay whatever they take: the best, the last and those in use. Of the others every
    k-th, as long as they take no more than `budget` bytes, `n_bytes` each.
    """
    k = stride(max(epochs, default=0), n_bytes, budget)
    return {epoch for epoch in epochs if epoch in always or (k is not None and epoch % k == 0)}


@dataclass(frozen=True)
class Room:
    """What a run will keep on disk, in bytes, beside what the disk has free."""

    least: int
    """Without it the run cannot train: best and last weights, and its own state."""
    earlier: int
    """The weights of earlier epochs, which can be done without."""
    free: int
    stays: int
    """Of `least`, what is still there when the run has ended."""
    runs: int = 1


def room(spec: RunSpec, weights: int, free: int, *, begun: bool = False) -> Room:
    """What a run whose weights take so many bytes keeps, beside `free` bytes of disk.

    Of one that has `begun` the most is there already: it needs what one more epoch writes.
    """
    k = stride(spec.epochs, weights, spec.keep_weights_mb * MB)
    given = 0 if spec.init is None else GIVEN
    copies = 1 + STATE if begun else NEEDED + 2 * STATE + given
    return Room(
        least=copies * weights + TEXTS,
        earlier=0 if k is None or begun else spec.epochs // k * weights,
        free=free,
        stays=(ENDED + STATE + given) * weights + TEXTS,
    )


def room_of_all(rooms: Sequence[Room]) -> Room:
    """What runs keep that follow one another: each what stays of it, and one trains at a time."""
    return Room(
        least=sum(one.stays for one in rooms) + max(one.least - one.stays for one in rooms),
        earlier=sum(one.earlier for one in rooms),
        free=rooms[0].free,
        stays=sum(one.stays for one in rooms),
        runs=len(rooms),
    )


def require_room(found: Room) -> str | None:
    """Words of warning if not all of it fits.

    Raises:
        StorageProblem: not even the best and the last epoch fit; nothing was trained.
    """
    if found.free < found.least:
        one = found.runs == 1
        who = "This run needs" if one else f"These {found.runs} runs need"
        raise StorageProblem(
            f"{who} {megabytes(found.least)} of disk for {'its' if one else 'their'} weights and "
            f"state; {megabytes(found.free)} are free.",
            hint="Free some space on the disk of the artifacts folder (delete runs that are not "
            f"needed), then {'start or resume it' if one else 'submit them again'}.",
            details={"needed_bytes": found.least, "free_bytes": found.free},
        )
    if found.free < found.least + found.earlier:
        return (
            f"Weights of earlier epochs may take {megabytes(found.earlier)} beside the "
            f"{megabytes(found.least)} that training needs; {megabytes(found.free)} of disk are "
            "free."
        )
    return None


def megabytes(n_bytes: int) -> str:
    """A size in words: 1 MB is a million bytes, as `keep_weights_mb` counts."""
    return f"{n_bytes / MB:,.1f} MB" if n_bytes < 100 * MB else f"{n_bytes / MB:,.0f} MB"
