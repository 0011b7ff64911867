"""Cursors: opaque places in a list."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from recede.contract.errors import InvalidInput


def encode_cursor(*parts: float | str) -> str:
    """An opaque place in a list."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: type) -> list[Any]:
    """The parts of a cursor; raises InvalidInput if it is none of ours."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = json.loads(base64.urlsafe_b64decode(padded.encode()))
    except (ValueError, binascii.Error):
        parts = None
    fits = isinstance(parts, list) and [type(part) for part in parts] == list(kinds)
    if not fits:
        raise InvalidInput(
            f"cursor was {cursor[:80]!r}; it must be the `next` of the page before.",
            field="cursor",
            hint="Leave it out for the first page.",
        )
    assert isinstance(parts, list)
    return parts
