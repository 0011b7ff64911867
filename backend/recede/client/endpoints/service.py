"""Requests on the service: its health, its workers, and the webhook of its notices."""

from __future__ import annotations

from recede.client.endpoints.call import (
    API,
    Call,
    body,
)
from recede.contract.schemas import (
    Health,
    Page,
    WebhookOut,
    WorkerOut,
)
from recede.contract.spec.catalog import Catalog


def health() -> Call[Health]:
    """Whether the service works, its version and the number of live workers."""
    return Call("GET", f"{API}/healthz", body(Health))


def catalog() -> Call[Catalog]:
    """What can be trained and on which devices."""
    return Call("GET", f"{API}/catalog", body(Catalog))


def workers() -> Call[Page[WorkerOut]]:
    """Supervisors that have announced themselves."""
    return Call("GET", f"{API}/workers", body(Page[WorkerOut]))


def metrics() -> Call[str]:
    """Prometheus' text."""
    return Call("GET", f"{API}/metrics", lambda response: response.text)


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
