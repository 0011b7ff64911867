"""A plan in words: how much it removes, and what of it is not the default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recede.client import Plan
from recede_dashboard.words.numbers import number, plural, short_share, threshold

NAMED = 3
"""Layers that are listed by name; more are only counted."""


def percent(plan: Mapping[str, Any]) -> str:
    """The share of neurons that a plan removes, in percent; empty where it goes by threshold."""
    ratio = plan.get("ratio")
    return "" if ratio is None else number(round(100 * ratio, 2))


def cut_words(plan: Mapping[str, Any]) -> str:
    """How much a plan removes."""
    if plan.get("threshold") is not None:
        return f"importances up to {threshold(plan['threshold'])} removed"
    return f"{short_share(plan['ratio'])} of the neurons removed"


def beside(plan: Mapping[str, Any]) -> list[str]:
    """What a plan sets beside its amount, its epoch and its defaults, each in a few words."""
    parts = []
    if plan.get("scope") == "local":
        parts.append("the same ratio in every layer")
    if locks := plan.get("locks"):
        parts.append(_layers(locks, "left uncut"))
    if overrides := plan.get("overrides"):
        shares = [f"{name} at {short_share(r)}" for name, r in overrides.items()]
        parts.append(
            ", ".join(shares)
            if len(shares) <= NAMED
            else f"{len(shares)} layers with their own ratio"
        )
    ranked, default = plan.get("criterion"), Plan.model_fields["criterion"].default
    if ranked and ranked != default:
        parts.append(f"ranked by {ranked}")
    if (multiple := plan.get("round_to") or 1) > 1:
        parts.append(f"rounded up to multiples of {multiple}")
    if least := plan.get("min_channels"):
        parts.append(f"at least {plural(least, 'channel')} per layer")
    if plan.get("bias") == "fold":
        parts.append("constant outputs absorbed")
    return parts


def plan_words(plan: Mapping[str, Any]) -> str:
    """A plan in words: how much, at which epoch, and what is not the default."""
    epoch = plan.get("epoch")
    when = "at the best epoch" if epoch is None else f"at epoch {epoch}"
    return ", ".join([cut_words(plan), when, *beside(plan)])


def _layers(names: Sequence[str], what: str) -> str:
    who = f"{len(names)} layers" if len(names) > NAMED else " and ".join(names)
    return f"{who} {what}"
