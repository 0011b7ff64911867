"""What people ask a cut for, and values on the axis of a histogram, for Python and browser."""

from __future__ import annotations

from typing import Any

import numpy as np

from recede.api.answers.training import histograms
from recede.contract.cut.targets import CurveAt, Target
from recede.contract.network.shape import NetworkShape
from recede.contract.spec.run import Plan
from tests.dashboard.scripts.cases import make_shape, random_plan, scores

SolveCase = tuple[NetworkShape, np.ndarray, Plan, Target, list[CurveAt]]


def solve_cases(n: int = 240) -> list[SolveCase]:
    """Random networks and plans with targets that can and cannot be met."""
    rng = np.random.default_rng(23)
    cases: list[SolveCase] = []
    for i in range(n):
        sizes = rng.integers(1, 40, rng.integers(1, 8)).tolist()
        shape = make_shape(
            sizes, minimum=int(rng.integers(1, 5)), scale=("bounded", "plain")[i % 2]
        )
        kind = ("bimodal", "tied", "equal", "zeros")[i // 2 % 4]
        raw = scores(rng, shape.n_neurons, kind)
        plan = random_plan(rng, shape)
        cases.append((shape, raw, plan, *_target(rng, i)))
    big = make_shape([107] * 55 + [115])  # 6,000 neurons
    raw = scores(rng, big.n_neurons, "bimodal")
    share = Target(kind="macs", value=0.3, relative=True)
    cases.append((big, raw, Plan(ratio=0.0), share, []))
    cases.append((big, raw, Plan(ratio=0.0, scope="local", round_to=8), share, []))
    return cases


def _target(rng: np.random.Generator, i: int) -> tuple[Target, list[CurveAt]]:
    kind = ("macs", "params", "bytes", "accuracy", "drop")[i % 5]
    relative = bool(rng.random() < 0.5)
    if kind in ("macs", "params", "bytes"):
        value = float(rng.choice([0.0, 0.01, 0.29, 0.5, 1.0, rng.random()]))
        return Target(kind=kind, value=value if relative else 1e6 * value, relative=relative), []
    value = float(rng.choice([0.0, 0.005, 0.05, 0.9, 0.92, 1.0]))
    ratios = [step / 20 for step in range(20)] if i % 11 else [0.1, 0.2]
    noise = rng.normal(0, 0.003, len(ratios))
    fall = [0.92 - max(0.0, ratio - 0.5) * rng.random() for ratio in ratios]
    points = [
        CurveAt(ratio, round(float(accuracy + wobble), 4))
        for ratio, accuracy, wobble in zip(ratios, fall, noise, strict=True)
    ]
    return Target(kind=kind, value=value, relative=relative), points


def bin_cases() -> list[tuple[dict[str, Any], list[float], list[int]]]:
    """A histogram's axis, values, and the bin in which the service counts each of them."""
    rng = np.random.default_rng(24)
    raw = np.concatenate([rng.normal(0, 5, 200), [-40.0, 40.0, -12.0, 12.0, 0.0]])
    raw = raw.astype(np.float32)
    cases = []
    for bins in (2, 128, 240):
        one = [histograms.compute(value.reshape(1, 1), "bounded", "logit", bins) for value in raw]
        about = {"bins": bins, "low": float(one[0].low), "high": float(one[0].high)}
        cases.append((about, raw.tolist(), [int(np.argmax(h.counts_EB)) for h in one]))
    return cases
