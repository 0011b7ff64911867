"""The webhook: where a person wants to be told of runs, and a test of it."""

from __future__ import annotations

from typing import Any, cast

from fastapi import APIRouter
from sqlalchemy.orm import Session

from recede.api.deps import Ctx
from recede.api.http.errors import documented
from recede.api.live import delivery
from recede.contract.schemas import (
    DeliveryOut,
    WebhookBody,
    WebhookOut,
)
from recede.contract.webhooks import check_url
from recede.store.notices import webhooks
from recede.store.tables.notices import DeliveryRow

router = APIRouter(prefix="/webhook", tags=["Notices"])


@router.get("")
def get_webhook(services: Ctx) -> WebhookOut:
    """Where notices are sent, and what came of the last one."""
    with services.store.read() as session:
        return _out(session)


@router.put("", responses=documented(409, 413))
def set_webhook(services: Ctx, body: WebhookBody) -> WebhookOut:
    """From now on POST JSON to this address when a run finishes, fails or stalls.

    What waits goes to the new address too. Nothing is sent before a run gives a reason.
    """
    url = check_url(body.url, "url")
    with services.store.write() as session:
        webhooks.put(session, url)
        return _out(session)


@router.delete("", responses=documented(409))
def remove_webhook(services: Ctx) -> WebhookOut:
    """Send nothing any more; what waits is dropped."""
    with services.store.write() as session:
        webhooks.remove(session)
        return _out(session)


@router.post("/test", responses=documented(409))
def test_webhook(services: Ctx) -> WebhookOut:
    """Send a test to the address, once, and answer with what came of it."""
    delivery.deliver_test(services.store, services.settings.url)
    with services.store.read() as session:
        return _out(session)


def _out(session: Session) -> WebhookOut:
    hook, last = webhooks.get(session), webhooks.last_tried(session)
    return WebhookOut(
        url=None if hook is None else hook.url,
        set_by=None if hook is None else cast("Any", hook.set_by),
        waiting=webhooks.count_waiting(session),
        last=None if last is None else _delivery(last),
    )


def _delivery(row: DeliveryRow) -> DeliveryOut:
    waits = "failed" if row.next_try_at is None else "waiting"
    return DeliveryOut(
        id=row.id,
        event=cast("Any", row.event),
        run_id=row.run_id,
        state=cast("Any", "sent" if row.sent_at is not None else waits),
        attempts=row.attempts,
        most_attempts=1 if row.event == "test" else webhooks.MOST_TRIES,
        tried_at=row.tried_at,
        next_try_at=row.next_try_at,
        status=row.status,
        error=row.error,
    )
