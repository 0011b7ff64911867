"""The webhook and its deliveries as answers."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy.orm import Session

from recede.contract.schemas import DeliveryOut, WebhookOut
from recede.store.notices import webhooks
from recede.store.tables.notices import DeliveryRow


def webhook_out(session: Session) -> WebhookOut:
    """Where notices are sent, and what came of the last one."""
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
