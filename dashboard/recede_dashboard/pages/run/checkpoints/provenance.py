"""When a set of weights was made and by which plan, so that two cuts can be distinguished."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dash import html
from dash.development.base_component import Component

from recede.client import CheckpointOut
from recede_dashboard.components.attributes import attrs
from recede_dashboard.words.plans import beside, cut_words


def made(checkpoint: CheckpointOut) -> Component:
    """Its time and its id; the browser writes the time in its own time zone."""
    moment = datetime.fromtimestamp(checkpoint.created_at, UTC)
    return html.Div(
        [
            # React must find it as empty as it made it: its text is the script's.
            html.Time(
                dateTime=moment.isoformat(timespec="seconds"),
                **attrs(data_made=checkpoint.created_at),
            ),
            html.Code(checkpoint.id, title="Id of this checkpoint in the API"),
        ],
        className="file-made",
        **attrs(data_testid="file-made"),
    )


def requested(plan: Mapping[str, Any] | None) -> Component | None:
    """The plan of a cut in one line, without its defaults; nothing for other weights."""
    if not plan:
        return None
    line = f"Plan: {', '.join([cut_words(plan), *beside(plan)])}"
    return html.P(line, className="file-asked", **attrs(data_testid="file-asked"))
