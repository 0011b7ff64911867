"""The webhook on the command line: show, set, test and remove it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from recede.cli.cuts.explore import AsJson
from recede.cli.terminal.console import (
    DEFAULT_URL,
    FAILED,
    Url,
    out,
)
from recede.client import RecedeClient
from recede.contract.errors import InvalidInput
from recede.contract.schemas import DeliveryOut, WebhookOut


def webhook(
    address: Annotated[
        str | None,
        typer.Argument(metavar="[ADDRESS]", help="URL to notify from now on, http or https."),
    ] = None,
    url: Url = DEFAULT_URL,
    test: Annotated[bool, typer.Option("--test", help="Send a test notification now.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Remove the webhook.")] = False,
    as_json: AsJson = False,
) -> None:
    """Notify an address when a run finishes, fails or stalls; by default nothing is sent."""
    if off and (address is not None or test):
        raise InvalidInput("--off cannot be combined with an address or --test.")
    with RecedeClient(url) as client:
        if address is not None:
            client.set_webhook(address)
        if off:
            client.remove_webhook()
        found = client.test_webhook() if test else client.webhook()
    if as_json:
        out.print_json(data=found.model_dump(mode="json"))
    else:
        out.print("\n".join(_lines(found)), soft_wrap=True, markup=False)
    if test and found.last is not None and found.last.state != "sent":
        raise typer.Exit(FAILED)


def _lines(found: WebhookOut) -> list[str]:
    if found.url is None:
        lines = ["No webhook is set, so nothing is sent. To set one: recede webhook ADDRESS"]
    else:
        by = ", set by RECEDE_WEBHOOK" if found.set_by == "environment" else ""
        lines = [f"webhook: {found.url}{by}"]
    if found.last is not None:
        lines.append(in_words(found.last))
    if found.waiting:
        lines.append(f"{found.waiting} waiting to be sent")
    return lines


def in_words(delivery: DeliveryOut) -> str:
    """The outcome of a delivery, in one line."""
    at = _clock(delivery.tried_at)
    if delivery.state == "sent":
        return f"last sent {at} ({delivery.event}): answer {delivery.status}"
    words = f"failed {at} ({delivery.event}): {delivery.error}"
    if delivery.next_try_at is not None:
        return f"{words}; tries again at {_clock(delivery.next_try_at)}"
    tries = f" after {delivery.attempts} tries" if delivery.attempts > 1 else ""
    return f"{words}; gave up{tries}"


def _clock(at: float | None) -> str:
    if at is None:
        return "–"
    return f"{datetime.fromtimestamp(at, UTC).astimezone():%d %b %H:%M:%S}"
