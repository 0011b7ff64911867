"""Cuts, costs and targets with the answers of Python, which node's own tests read as JSON.

`python -m tests.dashboard.scripts.fixtures` writes them anew; a test says when that is due.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from recede.contract.cut.selection import select
from recede.contract.cut.targets import (
    CurveAt,
    Target,
    solve,
)
from recede.contract.errors import ImpossiblePlan
from recede.contract.measuring import accuracy
from recede.contract.network.cost import cost
from recede.contract.network.file_size import file_bytes
from recede.contract.network.shape import NetworkShape
from recede.contract.spec.run import Plan
from tests.dashboard.scripts.cases import Point, accuracy_cases, cut_cases
from tests.dashboard.scripts.target_cases import bin_cases, solve_cases

FILE = Path(__file__).parents[2] / "js" / "fixtures.json"
N_CUTS, N_SOLVES, N_ACCURACIES, MOST_NEURONS = 24, 30, 8, 70


def text() -> str:
    """The file as it should be: one case a line."""
    cases = {
        "cuts": [_cut(*one) for one in cut_cases() if one[1].size <= MOST_NEURONS][:N_CUTS],
        "solves": [_solve(*one) for one in solve_cases() if one[1].size <= MOST_NEURONS][
            :N_SOLVES
        ],
        "accuracies": [_accuracy(*one) for one in accuracy_cases()[:N_ACCURACIES]],
        "bins": [
            {"about": about, "values": values, "wanted": wanted}
            for about, values, wanted in bin_cases()
        ],
    }
    parts = [
        f'"{name}": [\n' + ",\n".join(json.dumps(one) for one in found) + "\n]"
        for name, found in cases.items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _given(shape: NetworkShape, raw: np.ndarray, plan: Plan) -> dict[str, Any]:
    return {"shape": shape.model_dump(), "raw": raw.tolist(), "plan": plan.model_dump()}


def _cut(shape: NetworkShape, raw: np.ndarray, plan: Plan) -> dict[str, Any]:
    cut = select(shape, raw, plan)
    wanted = {
        "mask": cut.mask.astype(int).tolist(),
        "kept": cut.kept,
        "held": cut.held_at_minimum,
        "rounded": cut.rounded_up,
        "removed": cut.removed,
        "ratio": cut.ratio,
        "variant": cut.variant,
        "cost": vars(cost(shape, cut.kept)),
        "bytes": file_bytes(shape, cut.kept),
    }
    return {**_given(shape, raw, plan), "wanted": wanted}


def _solve(
    shape: NetworkShape, raw: np.ndarray, plan: Plan, target: Target, points: list[CurveAt]
) -> dict[str, Any]:
    given = _given(shape, raw, plan)
    asked = {"target": target.model_dump(), "points": [vars(point) for point in points]}
    try:
        found = solve(shape, raw, plan, target, points)
    except ImpossiblePlan:
        return {**given, **asked, "wanted": None}
    wanted = {
        "ratio": found.plan.ratio,
        "kept": found.selection.kept,
        "reached": found.reached,
        "value": found.value,
        "bound": found.bound,
    }
    return {**given, **asked, "wanted": wanted}


def _accuracy(points: list[Point], ratios: list[float]) -> dict[str, Any]:
    estimates = [accuracy.estimate(points, ratio) for ratio in ratios]
    wanted = {
        "lossless": accuracy.lossless_ratio(points),
        "estimates": [None if one is None else vars(one) for one in estimates],
    }
    return {"points": [asdict(point) for point in points], "ratios": ratios, "wanted": wanted}


if __name__ == "__main__":
    FILE.write_text(text())
