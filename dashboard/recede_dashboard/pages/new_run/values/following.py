"""Fields that still hold a recommendation follow it when it changes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recede_dashboard.pages.new_run.values.advice import sweep_values
from recede_dashboard.pages.new_run.values.spec import Key, Review
from recede_dashboard.pages.new_run.values.typed_number import read_number
from recede_dashboard.words.numbers import number
from recede_dashboard.words.specs import GROUPS


def following(
    typed: Mapping[Key, Any], advice: Mapping[str, float], before: Mapping[str, float]
) -> dict[Key, Any]:
    """New values for fields that still hold the earlier recommendation."""
    out: dict[Key, Any] = {}
    for (path, owner), value in typed.items():
        old, new = before.get(f"{path}@{owner}"), advice.get(path)
        if new is None or old in (None, new) or owner != owner_of(typed, path):
            continue
        if read_number(value, whole=False) == old:
            out[path, owner] = number(new)
    return out


def chips_following(
    typed: Mapping[Key, Any], advice: Mapping[str, float], before: Mapping[str, float]
) -> dict[Key, list[str]]:
    """The same for the unchanged chips of a sweep."""
    out: dict[Key, list[str]] = {}
    for path, new in advice.items():
        owner = owner_of(typed, path)
        old, chips = before.get(f"{path}@{owner}"), (f"axes.{path}", owner)
        if old not in (None, new) and typed.get(chips) == sweep_values(float(old or 0)):
            out[chips] = sweep_values(new)
    return out


def owner_of(typed: Mapping[Key, Any], path: str) -> str:
    """The chosen plug-in that a parameter's path belongs to."""
    kind = next(kind for kind, group in GROUPS.items() if path.startswith(f"{group}."))
    return str(typed[kind, ""])


def advised(seen: Review, typed: Mapping[Key, Any]) -> dict[str, float]:
    """Recommendations by "path@owner", to be compared with the next ones."""
    return {f"{path}@{owner_of(typed, path)}": value for path, value in seen.advice.items()}
