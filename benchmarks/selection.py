"""Choosing the channels and their cost, against the same rule written as plain loops.

    python -m benchmarks.selection

Claim: one plan, from scores to kept channels, parameters and multiply-adds, is fast enough
for every step of a drag. Baseline: the same rule neuron by neuron and layer by layer. Both
must give the same answer before anything is timed.
"""

from __future__ import annotations

import math

import numpy as np

from benchmarks.parts.report import interleaved, machine, ratio, spread
from recede.contract.cut.selection import (
    FloatArray,
    Mask,
    select,
)
from recede.contract.network.cost import Cost, cost
from recede.contract.network.shape import (
    Group,
    NetworkShape,
    Op,
)
from recede.contract.spec.run import Plan

N_CALLS = 50
PLAN = Plan(ratio=0.6)
VGG16 = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
HALVINGS = (2, 4, 7, 10)  # convolutions before which the image is halved


def chain(widths: tuple[int, ...]) -> NetworkShape:
    """Convolutions of 3×3 with batch norm on 32×32 images, then a linear layer of 10."""
    ops, side, fan_in = [], 32, 3
    for i, width in enumerate(widths):
        side //= 2 if i in HALVINGS else 1
        source = i - 1 if i else None
        ops += [
            Op(
                name=f"conv{i}",
                kind="conv",
                fan_in=fan_in,
                fan_out=width,
                source=source,
                target=i,
                kernel=9,
                positions=side * side,
                bias=True,
            ),
            Op(name=f"norm{i}", kind="norm", fan_in=width, fan_out=width, source=i, target=i),
        ]
        fan_in = width
    last = len(widths) - 1
    ops.append(Op(name="out", kind="linear", fan_in=fan_in, fan_out=10, source=last, bias=True))
    return NetworkShape(
        architecture="benchmark",
        groups=tuple(Group(name=f"conv{i}", size=width) for i, width in enumerate(widths)),
        ops=tuple(ops),
        input_shape=(3, 32, 32),
        classes=10,
        scale="bounded",
    )


def scaled(n_neurons: int) -> tuple[int, ...]:
    """VGG-16's widths, multiplied to n neurons; the last layer takes what rounding leaves."""
    widths = [round(width * n_neurons / sum(VGG16)) for width in VGG16]
    widths[-1] += n_neurons - sum(widths)
    return tuple(widths)


def ours(shape: NetworkShape, raw: FloatArray) -> tuple[Mask, Cost]:
    """What a preview computes."""
    selection = select(shape, raw, PLAN)
    return selection.mask, cost(shape, selection.kept)


def naive(shape: NetworkShape, raw: list[float]) -> tuple[list[bool], Cost]:
    """The same rule in loops, with every score turned into its importance first."""
    scores = [1 / (1 + math.exp(-value)) for value in raw]
    order = sorted(range(len(scores)), key=lambda i: scores[i])
    keep = [True] * len(scores)
    for i in order[: math.floor((PLAN.ratio or 0.0) * len(scores) + 1e-9)]:
        keep[i] = False
    kept, start = [], 0
    for group in shape.groups:
        layer = range(start, start + group.size)
        while sum(keep[i] for i in layer) < group.minimum:
            keep[max((i for i in layer if not keep[i]), key=lambda i: scores[i])] = True
        kept.append(sum(keep[i] for i in layer))
        start += group.size
    return keep, naive_cost(shape, kept)


def naive_cost(shape: NetworkShape, kept: list[int]) -> Cost:
    """Parameters and multiply-adds, counted filter by filter."""
    params = macs = 0
    for op in shape.ops:
        fan_in = op.fan_in if op.source is None else kept[op.source]
        fan_out = op.fan_out if op.target is None else kept[op.target]
        for _ in range(fan_out):
            if op.kind == "norm":
                params += 2
                continue
            params += op.kernel * fan_in + (1 if op.bias else 0)
            macs += op.kernel * fan_in * op.positions
    return Cost(params, macs)


def compare(n_neurons: int) -> None:
    """One line of the table; raises if the two disagree."""
    shape = chain(scaled(n_neurons))
    raw = np.random.default_rng(0).normal(-1, 2, n_neurons).astype(np.float32)
    values = raw.tolist()
    mask, exact = ours(shape, raw)
    if (mask.tolist(), exact) != naive(shape, values):
        raise SystemExit(f"Selections of {n_neurons} neurons differ: nothing was timed.")
    fast, slow = interleaved(N_CALLS, lambda: ours(shape, raw), lambda: naive(shape, values))
    print(
        f"| {n_neurons:,} | {len(shape.groups)} | {spread(fast)} | {spread(slow)} "
        f"| {ratio(slow, fast):.1f}× |"
    )


def main() -> None:
    """Both sizes, as a table."""
    print(f"Selection and cost of one plan, n = {N_CALLS} calls each; {machine()}")
    print("| neurons | layers | ours, ms: median (middle half) | loops, ms | ratio |")
    print("|---|---|---|---|---|")
    for n_neurons in (4_224, 30_000):
        compare(n_neurons)


if __name__ == "__main__":
    main()
