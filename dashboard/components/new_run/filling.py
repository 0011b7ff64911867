"""A form filled in to fine-tune a cut: few epochs, a small rate, no strength. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.client import Catalog, RunOut
from dashboard.components.new_run import starting
from dashboard.components.new_run.form import values_of
from dashboard.components.new_run.review import Key
from dashboard.components.new_run.sweep import swept
from dashboard.format import number

SHORTER, GENTLER = 5, 10
"""A fine-tuning starts with a fifth of the parent's epochs and a tenth of its learning rate."""


def fine_tuning(
    catalog: Catalog, parent: RunOut, plan: Mapping[str, Any], ratio: float | None = None
) -> dict[Key, Any]:
    """Values of the form; `ratio` is the share that the plan really removes."""
    values = values_of(catalog, parent.spec)
    if parent.state.value == "succeeded" and plan.get("epoch") == parent.best_epoch:
        plan = {key: value for key, value in plan.items() if key != "epoch"}  # the default
    values |= {(path, ""): v for path, v in starting.initial(parent.id, plan).items()}
    values["epochs", ""] = max(1, round(parent.spec.epochs / SHORTER))
    values["lr", ""] = float(f"{parent.spec.lr / GENTLER:.6g}")
    values["warmup_epochs", ""] = 0
    method = catalog.method(parent.spec.method)
    strength = swept(method.params)
    if strength is not None and (strength.minimum or 0) <= 0:
        values[f"method_params.{strength.name}", method.name] = 0.0
    share = plan.get("ratio") if ratio is None else ratio
    cut = "" if share is None else f" at {number(round(100 * share, 1))} %"
    values["name", ""] = f"{parent.name}, fine-tuned{cut}"[:120]
    return values
