"""What the form shows beside its fields: advice, facts of a folder, the plan, how many runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html

from recede.client import Catalog, ParamSpec
from recede_dashboard.pages.new_run.sections.plugins import folder_note
from recede_dashboard.pages.new_run.values import start, sweep
from recede_dashboard.pages.new_run.values.advice import (
    advice_text,
    fit_text,
    steps_text,
)
from recede_dashboard.pages.new_run.values.following import owner_of
from recede_dashboard.pages.new_run.values.spec import SWEEP, Key, Review, plain
from recede_dashboard.pages.new_run.values.typed_number import read_number
from recede_dashboard.words.numbers import number, plural
from recede_dashboard.words.plans import plan_words
from recede_dashboard.words.specs import GROUPS, params_of

Typed = Mapping[Key, Any]

GENTLE = (
    "The form starts with a fifth of that run's epochs, a tenth of its learning rate and no "
    "strength; the published recipe repeats the whole training without the strength."
)
FINE_TUNING = "0, so that fine-tuning only recovers accuracy."


def note(catalog: Catalog, at: Mapping[str, str], typed: Typed, seen: Review) -> Any:
    """The line under a field: a recommendation, or what the chosen folder holds."""
    path, owner = at["path"], at["owner"]
    if owner != owner_of(typed, path):
        return None
    spec = _spec(catalog, path, owner)
    if spec.kind == "text":
        return None if seen.dataset is None else folder_note(seen.dataset)
    if path not in seen.advice or seen.steps is None:
        return None
    value = read_number(typed[path, owner], whole=False)
    if typed.get(SWEEP):
        return html.Span("Set by the sweep below.")
    if value == 0 and start.read(plain(typed), {}) is not None:
        return html.Span(FINE_TUNING)
    equation, reason = advice_text(spec, seen.steps, gated=seen.gated)
    return _advice(equation, reason, value, seen.advice[path], at)


def _advice(
    equation: str, reason: str, value: Any, wanted: float, at: Mapping[str, str]
) -> list[Any]:
    """The recommendation with its formula, and a button to use it where it differs."""
    words = [html.Span(equation, className="advice-sum"), html.Span(f" {reason}")]
    if value == wanted:
        mark = html.Span("In use", className="advice-taken")
        return [html.Span(["Recommended: ", *words]), mark]
    taken = number(wanted)
    button = html.Button(
        f"Use {taken}",
        id={"type": "run-take", "path": at["path"], "owner": at["owner"]},
        value=taken,
        type="button",
        className="btn btn-small",
    )
    return [html.Span(["Recommended: ", *words]), button]


def _spec(catalog: Catalog, path: str, owner: str) -> ParamSpec:
    group, name = path.split(".", 1)
    kind = next(kind for kind, own in GROUPS.items() if own == group)
    return next(spec for spec in params_of(catalog, kind, owner) if spec.name == name)


def fit_notes(catalog: Catalog, owners: list[str], seen: Review) -> list[tuple[str, str]]:
    """For each network what it takes, and "true" or "false" for whether the images fit."""
    out = []
    for owner in owners:
        text, fit = fit_text(catalog.architecture(owner), seen.dataset)
        out.append((text, str(fit).lower()))
    return out


def steps(typed: Typed, seen: Review) -> str:
    """How many optimiser steps one run takes."""
    if seen.steps is None or seen.dataset is None:
        return ""
    epochs = int(read_number(typed["epochs", ""], whole=True) or 1)
    return steps_text(seen.dataset.label, seen.steps, epochs)


def plan(typed: Typed) -> str:
    """The cut that comes before the training, in words."""
    kept = start.kept_plan(plain(typed))
    if kept is not None:
        return f"The cut chosen in Explore: {plan_words(kept)}. {GENTLE}"
    init = start.read(plain(typed), {}) or {}
    if "plan" not in init:
        return ""
    words = plan_words(init["plan"])
    return f"{words[0].upper()}{words[1:]}."


def runs(seen: Review, typed: Typed) -> str:
    """What a sweep amounts to, for example "2 × 3 = 6 runs of 1,688 steps each"."""
    if not typed.get(SWEEP) or seen.axes is None:
        return ""
    factors = " × ".join(str(len(values)) for values in seen.axes.values())
    n_runs = plural(sweep.n_runs(seen.axes), "run")
    each = f" of {plural(seen.steps, 'step')} each" if seen.steps else ""
    return f"{factors} = {n_runs}{each}."


def button(seen: Review, typed: Typed) -> str:
    """The words on the button that starts."""
    if not typed.get(SWEEP):
        return "Start run"
    return f"Start {sweep.n_runs(seen.axes)} runs" if seen.axes else "Start sweep"
