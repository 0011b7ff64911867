"""Text for a terminal: quoted words, options on lines of their own, and requests by curl."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import Any

from recede.settings import DEFAULT_HOST, DEFAULT_PORT, url_of

_ROUND = 1e15
"""Whole numbers below this are written in full."""


def number(value: float) -> str:
    """A number with the digits that were given: 0.3 of 0.1 + 0.2, 40 of 40.0."""
    tidy = float(f"{value:.12g}")
    return str(int(tidy)) if tidy.is_integer() and abs(tidy) < _ROUND else repr(tidy)


def service(origin: str) -> list[str]:
    """Where the service listens, as an option; none where the command looks by itself."""
    return [] if origin == url_of(DEFAULT_HOST, DEFAULT_PORT) else ["--url", origin]


def line(words: Sequence[str]) -> str:
    """A command on one line."""
    return shlex.join(words)


def wrapped(words: Sequence[str]) -> str:
    """A command with each option on a line of its own."""
    lines = [shlex.join(words[:2])]
    for word in words[2:]:
        quoted = shlex.quote(word)
        if word.startswith("--"):
            lines.append(f"  {quoted}")
        else:
            lines[-1] += f" {quoted}"
    return " \\\n".join(lines)


def post(url: str, body: str) -> str:
    """A request with a JSON body by curl."""
    return (
        f"curl -X POST {shlex.quote(url)} \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(body)}"
    )


def compact(body: Any) -> str:
    """JSON on one line."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
