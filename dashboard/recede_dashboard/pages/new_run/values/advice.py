"""What the form works out: the chosen data set, optimiser steps, strengths to recommend. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recede.client import (
    ArchitectureInfo,
    Catalog,
    DatasetInfo,
    InvalidInput,
    ParamSpec,
)
from recede_dashboard.words.numbers import plural

CLOSE = 0.1
"""Share by which λ × steps may miss what is wanted: recommended values have two figures."""


def chosen_dataset(catalog: Catalog, body: Mapping[str, Any]) -> DatasetInfo | None:
    """The data set with the facts of its chosen folder and size; None if there is none."""
    try:
        entry = catalog.dataset(str(body.get("dataset")))
        return entry.resolved(body.get("dataset_params") or {})
    except (InvalidInput, KeyError):
        return None


def n_steps(catalog: Catalog, body: Mapping[str, Any]) -> int | None:
    """Optimiser steps of the whole training; None unless all that decides them are numbers."""
    dataset = chosen_dataset(catalog, body)
    try:
        numbers = int(body["epochs"]), int(body["batch_size"]), float(body["val_fraction"])
        steps = 0 if dataset is None else dataset.steps(*numbers)
    except (KeyError, ValueError, OverflowError, ZeroDivisionError):
        return None
    return steps if steps > 0 and numbers[1] > 0 else None


def steps_text(label: str, steps: int, epochs: int) -> str:
    """How long the training is, for example "4 epochs of 844 steps: 3,376 optimiser steps"."""
    share = f"{plural(epochs, 'epoch')} of {plural(steps // epochs, 'step')}"
    return f"{share} on {label}: {plural(steps, 'optimiser step')}."


def advice_text(spec: ParamSpec, steps: int, *, gated: bool = False) -> tuple[str, str]:
    """The recommended value with its formula, and why it is not more or less than that.

    For example ("0.05 = 125 ÷ 1,688 steps, capped at 0.05", "The formula gives 0.074; …").
    """
    value, wanted = float(spec.recommended(steps, gated=gated)), spec.per_steps or 0.0
    plain = wanted / steps
    equation = f"{value:g} = {wanted:g} ÷ {plural(steps, 'step')}"
    if abs(value - plain) <= CLOSE * plain:
        return equation, ""
    if value < plain:
        reason = (
            f"The formula gives {plain:.2g}; more than {value:g} costs accuracy, so train longer."
        )
        return f"{equation}, capped at {value:g}", reason
    return f"{equation}, but at least {value:g}", f"The formula gives {plain:.2g}."


def sweep_values(value: float) -> list[str]:
    """Strengths that a sweep starts with: half of the recommended one, and that one."""
    return [f"{value / 2:.2g}", f"{value:g}"]


def fits(entry: ArchitectureInfo, size: int) -> bool:
    """Whether the network takes square images of so many pixels a side."""
    return entry.min_image <= size <= entry.max_image


def fit_text(entry: ArchitectureInfo, dataset: DatasetInfo | None) -> tuple[str, bool]:
    """Which images the network takes beside those it would get, and whether that fits."""
    takes = f"Accepts images of {entry.min_image} to {entry.max_image} pixels"
    if dataset is None:
        return f"{takes}.", True
    size = dataset.image_size
    if fits(entry, size):
        return f"{takes}; {size} × {size} fits.", True
    return f"{takes}; {dataset.label} has {size} × {size}.", False
