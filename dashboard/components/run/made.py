"""When a set of weights was made, and what was asked for: so that two cuts can be told apart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dash import html
from dash.development.base_component import Component

from backend.client import CheckpointOut, Plan
from dashboard.components.attributes import attrs
from dashboard.components.new_run.starting import cut_words
from dashboard.format import number

NAMED = 3
"""Layers that are named; of more, the number is said."""


def made(checkpoint: CheckpointOut) -> Component:
    """Its time and its id; assets/js/times.js says the time in the clock of the one who looks."""
    moment = datetime.fromtimestamp(checkpoint.created_at, UTC)
    return html.Div(
        [
            # React must find it as empty as it made it: its text is the script's.
            html.Time(
                dateTime=moment.isoformat(timespec="seconds"),
                **attrs(data_made=checkpoint.created_at),
            ),
            html.Code(checkpoint.id, title="Id of these weights, as the API has it"),
        ],
        className="file-made",
        **attrs(data_testid="file-made"),
    )


def asked(plan: Mapping[str, Any] | None) -> Component | None:
    """The plan of a cut in one line, without its defaults; nothing for other weights."""
    if not plan:
        return None
    line = f"Asked for: {', '.join(plan_parts(plan))}"
    return html.P(line, className="file-asked", **attrs(data_testid="file-asked"))


def plan_parts(plan: Mapping[str, Any]) -> list[str]:
    """What a plan says beside its epoch and its defaults, each in a few words."""
    parts = [cut_words(plan)]
    if plan.get("scope") == "local":
        parts.append("the same share in each layer")
    if locks := plan.get("locks"):
        parts.append(_layers(locks, "locked"))
    if overrides := plan.get("overrides"):
        shares = [f"{name} at {number(round(100 * r, 2))} %" for name, r in overrides.items()]
        parts.append(_layers(shares, "with a ratio of its own", "with ratios of their own"))
    ranked, default = plan.get("criterion"), Plan.model_fields["criterion"].default
    if ranked and ranked != default:
        parts.append(f"ranked by {ranked}")
    if (multiple := plan.get("round_to") or 1) > 1:
        parts.append(f"rounded up to multiples of {multiple}")
    if least := plan.get("min_channels"):
        parts.append(f"at least {least} channel{'s' * (least > 1)} in a layer")
    if plan.get("bias") == "fold":
        parts.append("constants of removed channels folded in")
    return parts


def _layers(names: Any, one: str, many: str = "") -> str:
    if len(names) > NAMED:
        return f"{len(names)} layers {many or one}"
    return f"{' and '.join(names)} {'' if many and ' at ' in names[0] else one}".strip()
