"""Made-up networks, plans, curves and addresses on which Python and the browser must agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from recede.contract.measuring import accuracy
from recede.contract.network.shape import (
    Group,
    NetworkShape,
    Op,
    StoredTensor,
)
from recede.contract.spec.run import IMPORTANCE, Plan

Json = dict[str, Any]


def make_shape(
    sizes: list[int], *, minimum: int = 3, scale: str = "bounded", pixels: int = 1
) -> NetworkShape:
    """A chain of convolutions with norms, one depthwise layer and a linear layer at the end."""
    groups = tuple(
        Group(name=f"features.{3 * i}", size=size, minimum=minimum) for i, size in enumerate(sizes)
    )
    ops: list[Op] = []
    for i, size in enumerate(sizes):
        fan_in, source = (3, None) if i == 0 else (sizes[i - 1], i - 1)
        where = {"name": f"op{i}", "target": i, "fan_out": size}
        positions = max(1, 1024 >> i)
        ops.append(
            Op(
                kind="conv",
                fan_in=fan_in,
                source=source,
                kernel=9,
                positions=positions,
                bias=bool(i % 2),
                **where,
            )
        )
        ops.append(Op(kind="norm", fan_in=size, source=i, **where))
        if i % 3 == 1:
            ops.append(
                Op(kind="depthwise", fan_in=size, source=i, kernel=9, positions=positions, **where)
            )
    last = sizes[-1] * pixels
    ops.append(
        Op(name="fc", kind="linear", fan_in=last, fan_out=10, source=len(sizes) - 1, bias=True)
    )
    ops.append(Op(name="gate", kind="fixed", fan_in=0, fan_out=0, params=7, macs=11))
    return NetworkShape(
        architecture="chain",
        groups=groups,
        ops=tuple(ops),
        input_shape=(3, 32, 32),
        classes=10,
        scale=scale,
        tensors=_tensors(tuple(ops), sizes),
    )


def _tensors(ops: tuple[Op, ...], sizes: list[int]) -> tuple[StoredTensor, ...]:
    """The state_dict of such a chain."""
    found = []

    def add(name: str, shape: list[int], dtype: str, *links: tuple[int, int | None, int]) -> None:
        held = tuple((dim, group, slices) for dim, group, slices in links if group is not None)
        found.append(StoredTensor(name=name, dtype=dtype, shape=tuple(shape), links=held))

    for place, op in enumerate(ops):
        layer = f"{op.kind}.{place}"
        if op.kind == "norm":
            for leaf in ("weight", "bias", "running_mean", "running_var"):
                add(f"{layer}.{leaf}", [op.fan_out], "F32", (0, op.target, 1))
            add(f"{layer}.num_batches_tracked", [], "I64")
            continue
        fan_in = 1 if op.kind == "depthwise" else op.fan_in
        source = None if op.kind == "depthwise" else op.source
        slices = 1 if source is None else op.fan_in // sizes[source]
        window = [] if op.kind == "linear" else [3, 3]
        links = ((0, op.target, 1), (1, source, slices))
        add(f"{layer}.weight", [op.fan_out, fan_in, *window], "F32", *links)
        if op.bias:
            add(f"{layer}.bias", [op.fan_out], "F32", (0, op.target, 1))
    return tuple(found)


def scores(rng: np.random.Generator, n: int, kind: str) -> np.ndarray:
    """Raw scales of n neurons: bimodal, tied, all equal or with zeros of both signs."""
    if kind == "equal":
        return np.full(n, 0.25, np.float32)
    if kind == "zeros":
        return rng.choice(np.array([-0.0, 0.0, 0.5, -0.5], np.float32), n)
    raw = np.where(rng.random(n) < 0.5, rng.normal(-6, 1.5, n), rng.normal(1.5, 1, n))
    return (np.round(raw * 2) / 2 if kind == "tied" else raw).astype(np.float32)


def random_plan(rng: np.random.Generator, shape: NetworkShape) -> Plan:
    names = [group.name for group in shape.groups]
    picked = rng.permutation(names)[: rng.integers(0, min(4, len(names)) + 1)].tolist()
    split = int(rng.integers(0, len(picked) + 1))
    bound = {
        "locks": tuple(picked[:split]),
        "overrides": {name: float(rng.choice([0.0, 0.29, 0.5, 0.999])) for name in picked[split:]},
        "round_to": int(rng.choice([1, 1, 2, 4, 8, 16])),
        "min_channels": rng.choice([None, None, 1, 4, 50]),
        "criterion": str(rng.choice([IMPORTANCE, IMPORTANCE, "other"])),
        "bias": str(rng.choice(["drop", "fold"])),
    }
    if rng.random() < 0.5:
        ratio = float(rng.choice([0.0, 0.29, 0.5, 0.999, rng.random()]))
        return Plan(scope=str(rng.choice(["global", "local"])), ratio=ratio, **bound)
    ends = [0.0, 1.0, 0.5, 1e-9, 0.999999, 7.5, rng.random(), rng.random() ** 4]
    return Plan(threshold=float(rng.choice(ends)), **bound)


def cut_cases() -> list[tuple[NetworkShape, np.ndarray, Plan]]:
    rng = np.random.default_rng(20)
    cases = []
    for i in range(300):
        sizes = rng.integers(1, 40, rng.integers(1, 12)).tolist()
        scale = ("bounded", "plain")[i % 2]
        minimum = int(rng.integers(0, 6))
        shape = make_shape(sizes, minimum=minimum, scale=scale, pixels=int(rng.choice([1, 4])))
        kind = ("bimodal", "tied", "equal", "zeros")[i // 2 % 4]
        cases.append((shape, scores(rng, shape.n_neurons, kind), random_plan(rng, shape)))
    big = make_shape([536] * 55 + [520])  # 30,000 neurons in 56 layers
    assert big.n_neurons == 30_000
    raw = scores(rng, big.n_neurons, "bimodal")
    cases += [(big, raw, Plan(ratio=0.61)), (big, raw, Plan(ratio=0.61, scope="local"))]
    cases += [(big, raw, Plan(threshold=0.123)), (big, raw, Plan(ratio=0.9999))]
    # A threshold that equals a score, as float32: NumPy compares in float32 and drops it.
    plain = make_shape([8], scale="plain", minimum=0)
    tenths = np.linspace(0.1, 0.8, 8).astype(np.float32)
    return [*cases, (plain, tenths, Plan(threshold=0.3)), (plain, -tenths, Plan(threshold=0.5))]


Point = accuracy.Measured | accuracy.Known


def accuracy_cases() -> list[tuple[list[Point], list[float]]]:
    rng = np.random.default_rng(21)
    cases: list[tuple[list[Point], list[float]]] = [([], [0.5])]
    for i in range(60):
        n = int(rng.choice([7, 180, 6000]))
        ratios = np.unique(np.round(rng.random(rng.integers(1, 20)), 3)).tolist()
        ratios = [0.0, *ratios] if i % 3 else ratios
        falling = [min(1.0, max(0.0, 1.02 - ratio**4)) for ratio in ratios]
        points: list[Point] = [
            accuracy.Measured(ratio, min(n, int(n * share)), n)
            for ratio, share in zip(ratios, falling, strict=True)
        ]
        if i % 4 == 3:
            points = [_estimated(rng, point) for point in points]
        points += points[: i % 2]  # the same ratio twice
        asked = [*rng.random(5).tolist(), ratios[0], ratios[-1], 0.0, 0.999]
        cases.append((points[::-1], asked))
    return cases


def _estimated(rng: np.random.Generator, point: Point) -> Point:
    """The same as a point of a curve, of which only a part of the split was looked at."""
    whole = point.accuracy
    if point.ratio == 0 or rng.random() < 0.3:
        return accuracy.Known(point.ratio, whole)
    off = float(rng.random() * 0.02)
    part = replace(
        whole,
        kind="estimated",
        n=max(1, whole.n // 5),
        split_low=max(0.0, whole.value - off),
        split_high=min(1.0, whole.value + off),
    )
    return accuracy.Known(point.ratio, part)


URLS = [
    "?tab=explore&epoch=7&t=0.12&axis=sigma&layer=features.8&lock=features.0,features.4",
    "?r=0.5&scope=local&x=macs&y=log",
    "?tab=explore&epoch=-3&t=much&r=1&axis=upwards",
    "",
]


def refusals() -> list[tuple[NetworkShape, list[float], Json, str]]:
    shape = make_shape([4, 4])
    plan = Plan(ratio=0.5).model_dump()
    unknown = Plan(ratio=0.5, locks=("nowhere",)).model_dump()
    return [
        (shape, [0.0] * 7, plan, "7 neurons"),
        (shape, [0.0] * 7 + [1e300], plan, "not finite"),  # float32: infinite
        (shape, [0.0] * 8, unknown, "nowhere"),
    ]
