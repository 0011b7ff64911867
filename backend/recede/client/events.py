"""Server-sent events as both clients read them, and where a lost stream is taken up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from httpx_sse import ServerSentEvent

from recede.client.endpoints.call import API

PATH = f"{API}/events"
RECONNECT_S = 1.0


@dataclass(frozen=True)
class Event:
    """Something that happened; `data` holds run_id, job_id, created_at and what belongs to it."""

    id: int
    type: str
    data: dict[str, Any]


@dataclass
class Position:
    """What a stream is about, and the last event that was read of it."""

    run_id: str | None = None
    last_id: int | None = None

    @property
    def params(self) -> dict[str, str]:
        """Parameters of the next request."""
        return {} if self.run_id is None else {"run_id": self.run_id}

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the next request: it goes on after the last event."""
        return {} if self.last_id is None else {"Last-Event-ID": str(self.last_id)}

    def advance(self, sent: ServerSentEvent) -> Event | None:
        """The event that was sent; None of a heartbeat, or of an id alone."""
        if sent.id:
            self.last_id = int(sent.id)
        return Event(self.last_id or 0, sent.event, json.loads(sent.data)) if sent.data else None
