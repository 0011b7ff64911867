"""The cut that is fine-tuned, above the form: how much is removed, and what remains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from recede.client import (
    ApiError,
    AsyncRecedeClient,
    Plan,
    PreviewOut,
)
from recede_dashboard.components.attributes import attrs
from recede_dashboard.pages.new_run.values import start
from recede_dashboard.pages.new_run.values.spec import Key, plain
from recede_dashboard.words import numbers
from recede_dashboard.words.plans import beside

NEW = "New run"

Typed = Mapping[Key, Any]


def title(typed: Typed, names: Mapping[str, str]) -> str:
    """What the drawer is called; `names` are those of runs by id."""
    given = _given(typed)
    return NEW if given is None else f"Fine-tune a cut of {names.get(given[0], given[0])}"


async def cut_section(client: AsyncRecedeClient, typed: Typed) -> Component | None:
    """The section on the cut; None where none is made, or where it cannot be made."""
    given = _given(typed)
    if given is None:
        return None
    try:
        found = await client.preview(*given)
    except ApiError:
        return None  # the reason appears at the field on starting
    rows = (
        ("Removed", how_much(given[1], found)),
        ("Epoch", f"{found.epoch}{', best on validation' * (given[1].epoch is None)}"),
        ("Remaining", remains(found)),
    )
    facts = [html.Div([html.Dt(name), html.Dd(words)]) for name, words in rows]
    return html.Fieldset(
        [html.Legend("The cut"), html.Dl(facts, className="form-facts")],
        className="form-section",
        **attrs(data_testid="form-cut"),
    )


def how_much(plan: Plan, found: PreviewOut) -> str:
    """The share that goes, and what of the plan is not its default."""
    parts = [f"{numbers.short_share(round(found.ratio, 3))} of the neurons"]
    if plan.threshold is not None:
        parts.append(f"importances up to {numbers.threshold(plan.threshold)}")
    return ", ".join([*parts, *beside(plan.model_dump())])


def remains(found: PreviewOut) -> str:
    """Neurons, parameters and multiply-adds that are left, of how many."""
    left = sum(found.kept.values())
    params, macs = found.cost.params, found.cost.macs
    return (
        f"{numbers.integer(left)} of {numbers.integer(left + found.removed)} neurons, "
        f"{numbers.integer(params)} of {numbers.integer(found.dense.params)} parameters, "
        f"{numbers.compact(macs)} of {numbers.compact(found.dense.macs)} MACs"
    )


def _given(typed: Typed) -> tuple[str, Plan] | None:
    """The run whose network is cut first, and how; whatever else is wrong in the form."""
    init = start.read(plain(typed), {}) or {}
    plan = init.get("plan")
    return None if plan is None else (init["run"], Plan.model_validate(plan))
