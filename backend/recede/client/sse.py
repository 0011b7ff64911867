"""Server-sent events: from lines of text to events, without I/O."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """Something that happened; `data` holds run_id, job_id, created_at and what belongs to it."""

    id: int
    type: str
    data: dict[str, Any]


@dataclass
class Parser:
    """Takes one line at a time; a blank one ends an event. Remembers the last id."""

    last_id: int | None = None
    _fields: dict[str, str] = field(default_factory=dict)

    def feed(self, line: str) -> Event | None:
        """The event that this line completes, if it completes one."""
        if line:
            name, _, value = line.partition(":")
            if name:
                self._fields[name] = value.removeprefix(" ")
            return None
        fields, self._fields = self._fields, {}
        if "id" in fields:
            self.last_id = int(fields["id"])
        if "data" not in fields:
            return None
        return Event(self.last_id or 0, fields.get("event", "message"), json.loads(fields["data"]))
