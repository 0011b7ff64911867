"""Sending one notice to the webhook: a small POST, five seconds, no redirects."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import httpx

from recede.contract.errors import Conflict
from recede.store.database.engine import Store
from recede.store.notices import webhooks
from recede.store.notices.webhooks import Outcome
from recede.store.tables.notices import DeliveryRow

TIMEOUT_S = 5.0
_AGAIN = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


def post(url: str, body: Mapping[str, Any]) -> Outcome:
    """Send JSON from a thread of its own; returns the outcome in words and never raises.

    Proxies of the environment (HTTPS_PROXY, NO_PROXY …) are used, as httpx does by default.
    """
    try:
        status = asyncio.run(_post(url, body))
    except TimeoutError:
        return Outcome(error=f"no answer within {TIMEOUT_S:.0f} s", again=True)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return Outcome(error=_in_words(error), again=isinstance(error, httpx.TransportError))
    return _judged(status)


async def _post(url: str, body: Mapping[str, Any]) -> int:
    headers = {"User-Agent": "recede"}
    async with (
        asyncio.timeout(TIMEOUT_S),
        httpx.AsyncClient(timeout=None, follow_redirects=False) as client,  # noqa: S113 - above
        client.stream("POST", url, json=body, headers=headers) as response,
    ):
        return response.status_code  # what it says beyond this is not read


def _judged(status: int) -> Outcome:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome(status)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Outcome(status, f"answer {status}; redirects are not followed")
    again = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _AGAIN
    return Outcome(status, f"answer {status}", again)


def _in_words(error: Exception) -> str:
    """The reason without numbers of the system and without the address, which may be secret."""
    reason = re.sub(r"^\[Errno -?\d+\] ", "", str(error)).strip().rstrip(".")
    return reason[:1].lower() + reason[1:300] if reason else type(error).__name__


def deliver(store: Store, page_url: str) -> bool:
    """Send the delivery that is due, if there is one; says whether there was."""
    with store.read() as session:
        if not webhooks.is_due(session):
            return False
    with store.write() as session:
        row, hook = webhooks.claim(session), webhooks.get(session)
    if row is None or hook is None:
        return False  # another service was quicker, or it was switched off
    _send(store, row.id, row.attempts, hook.url, page_url)
    return True


def deliver_test(store: Store, page_url: str) -> None:
    """Send a test now and record the result; raises Conflict without an address."""
    with store.write() as session:
        hook = webhooks.get(session)
        if hook is None:
            raise Conflict(
                "There is no webhook to test.", hint="Give it an address first, then test it."
            )
        delivery_id = webhooks.add_test(session)
    _send(store, delivery_id, 1, hook.url, page_url)


def _send(store: Store, delivery_id: int, attempt: int, url: str, page_url: str) -> None:
    with store.read() as session:
        row = session.get_one(DeliveryRow, delivery_id)
        path = "" if row.run_id is None else f"/runs/{row.run_id}"
        body = {"delivery": row.id, **row.body, "url": page_url + path}
    outcome = post(url, body)
    with store.write() as session:
        webhooks.record(session, delivery_id, attempt, outcome)
