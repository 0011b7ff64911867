"""The service's check of the form before a run starts: disk, time, memory."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from recede.client import (
    ApiError,
    AsyncRecedeClient,
    SpecCheck,
)
from recede_dashboard.pages.new_run.values.spec import Review

NO_ROOM = "storage"
"""The code of the API's error."""

REASONS = {
    "init.pretrained": "Published weights",
    "init.file": "Weights in the file",
    "normalize": "Pixels",
    "dataset_params.image_size": "Image size",
    "dataset_params.crop_pct": "Middle kept",
    "dataset_params.interpolation": "Interpolation",
}
"""What is said of given weights, by the fields of the spec that they decide."""

Answer = SpecCheck | ApiError | None


async def checked(client: AsyncRecedeClient, seen: Review) -> Answer:
    """The service's answer, be it a refusal; None while something has to be fixed."""
    if seen.spec is None:
        return None
    try:
        return await client.check_run(seen.spec)
    except ApiError as error:
        return error


def disk_alert(answer: Answer, seen: Review) -> Component | None:
    """The service's warning where a run may not fit on the disk, or its refusal where it cannot.

    For a sweep this is per run. Any other refusal is shown on starting.
    """
    if isinstance(answer, ApiError):
        if answer.code != NO_ROOM:
            return None
        words = " ".join(part for part in (answer.message, answer.hint) if part)
        return html.Div(words, className="alert alert-bad")
    if answer is None or answer.disk is None or answer.disk.warning is None:
        return None
    return html.Div(_each(seen) + answer.disk.warning, className="alert alert-warn")


def forecast(answer: Answer, seen: Review) -> list[Component] | None:
    """What can be cut, time and memory of the training; of given weights what is to be known."""
    if not isinstance(answer, SpecCheck):
        return None
    facts = [
        (name, answer.reasons[path]) for path, name in REASONS.items() if path in answer.reasons
    ]
    if answer.reach is not None:
        facts.append(("Can be cut", answer.reach.words))
    if answer.forecast is not None:
        each = _each(seen)
        facts += [("Time", each + answer.forecast.time), ("Memory", each + answer.forecast.memory)]
    return [html.Div([html.Dt(name), html.Dd(words)]) for name, words in facts] or None


def _each(seen: Review) -> str:
    return "" if seen.axes is None else "Per run: "
