"""Requests of the API on the webhook, which is told when a run finishes, fails or stalls."""

from __future__ import annotations

from recede.client.endpoints.call import (
    API,
    Call,
    body,
)
from recede.contract.schemas import WebhookOut


def webhook() -> Call[WebhookOut]:
    """Where notices are sent, and what came of the last one."""
    return Call("GET", f"{API}/webhook", body(WebhookOut))


def set_webhook(url: str) -> Call[WebhookOut]:
    """Send notices to this address from now on."""
    return Call("PUT", f"{API}/webhook", body(WebhookOut), json={"url": url})


def remove_webhook() -> Call[WebhookOut]:
    """Send notices nowhere any more."""
    return Call("DELETE", f"{API}/webhook", body(WebhookOut))


def test_webhook() -> Call[WebhookOut]:
    """Send a test now; the answer's `last` says what came of it."""
    return Call("POST", f"{API}/webhook/test", body(WebhookOut))
