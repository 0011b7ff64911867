"""The webhook: where notices of runs are sent, and a test of it."""

from __future__ import annotations

from fastapi import APIRouter

from recede.api.answers.service.webhook import webhook_out
from recede.api.http.deps import Ctx
from recede.api.http.errors import documented
from recede.api.live import delivery
from recede.contract.addresses import check_url
from recede.contract.schemas import (
    WebhookBody,
    WebhookOut,
)
from recede.store.notices import webhooks

router = APIRouter(prefix="/webhook", tags=["Notices"])


@router.get("")
def get_webhook(services: Ctx) -> WebhookOut:
    """Where notices are sent, and what came of the last one."""
    with services.store.read() as session:
        return webhook_out(session)


@router.put("", responses=documented(409, 413))
def set_webhook(services: Ctx, body: WebhookBody) -> WebhookOut:
    """From now on POST JSON to this address when a run finishes, fails or stalls.

    What waits goes to the new address too. Nothing is sent before a run gives a reason.
    """
    url = check_url(body.url, "url")
    with services.store.write() as session:
        webhooks.put(session, url)
        return webhook_out(session)


@router.delete("", responses=documented(409))
def remove_webhook(services: Ctx) -> WebhookOut:
    """Send nothing any more; what waits is dropped."""
    with services.store.write() as session:
        webhooks.remove(session)
        return webhook_out(session)


@router.post("/test", responses=documented(409))
def test_webhook(services: Ctx) -> WebhookOut:
    """Send a test to the address, once, and answer with what came of it."""
    delivery.deliver_test(services.store, services.settings.url)
    with services.store.read() as session:
        return webhook_out(session)
