"""What the form says when the disk gets short for what would be started."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from backend.client import ApiError, AsyncRecedeClient
from dashboard.components.new_run.review import Review

NO_ROOM = 507


async def disk_alert(client: AsyncRecedeClient, seen: Review) -> Component | None:
    """The service's words where not all that a run keeps may fit, or where it cannot fit.

    Of a sweep each run is meant. What else the service would refuse is said on starting.
    """
    if seen.spec is None:
        return None
    try:
        disk = (await client.check_run(seen.spec)).disk
    except ApiError as error:
        if error.status != NO_ROOM:
            return None
        words = " ".join(part for part in (error.message, error.hint) if part)
        return html.Div(words, className="alert alert-bad")
    if disk is None or disk.warning is None:
        return None
    of_each = "" if seen.axes is None else "Of each run: "
    return html.Div(of_each + disk.warning, className="alert alert-warn")
