"""A form filled in to fine-tune a cut by one of the recipes, without a strength. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recede.client import (
    RECIPES,
    Catalog,
    RunOut,
    recipe,
)
from recede_dashboard.pages.new_run.form import values_of
from recede_dashboard.pages.new_run.sections.recipe import RECIPE
from recede_dashboard.pages.new_run.values import start
from recede_dashboard.pages.new_run.values.spec import Key
from recede_dashboard.pages.new_run.values.sweep import swept
from recede_dashboard.words.numbers import number

DEFAULT = RECIPES[0].name


def fine_tuning(
    catalog: Catalog,
    parent: RunOut,
    plan: Mapping[str, Any],
    ratio: float | None = None,
    recipe_name: str | None = None,
) -> dict[Key, Any]:
    """Values of the form; `ratio` is the share that the plan really removes."""
    chosen = recipe(recipe_name or DEFAULT)
    values = values_of(catalog, parent.spec)
    if parent.state.value == "succeeded" and plan.get("epoch") == parent.best_epoch:
        plan = {key: value for key, value in plan.items() if key != "epoch"}  # the default
    values |= {(path, ""): v for path, v in start.initial(parent.id, plan).items()}
    values |= {(path, ""): value for path, value in start.given_by(parent.spec).items()}
    values |= {(path, ""): value for path, value in chosen.fields(parent.spec).items()}
    values[RECIPE] = chosen.name
    method = catalog.method(parent.spec.method)
    strength = swept(method.params)
    if strength is not None and (strength.minimum or 0) <= 0:
        values[f"method_params.{strength.name}", method.name] = 0.0
    share = plan.get("ratio") if ratio is None else ratio
    cut = "" if share is None else f" at {number(round(100 * share, 1))} %"
    values["name", ""] = f"{parent.name}, fine-tuned{cut}"[:120]
    return values
