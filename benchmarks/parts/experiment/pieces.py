"""Finished pieces of a long benchmark in a file, so that a second start does only the rest."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Piece = dict[str, Any]
"""Plain JSON: what is asked for, or what was found."""


@dataclass
class Pieces:
    """JSON lines of {"asked", "found", "seconds"}; a piece is known by all that was asked for."""

    path: Path
    say: Callable[[str], None]
    failed: list[str] = field(default_factory=list)
    """Labels of the pieces that could not be had in this process."""

    def conclude(self) -> None:
        """Exit, naming them, if pieces could not be had: the tables above lack them."""
        if self.failed:
            sys.exit(f"Not had: {'; '.join(self.failed)}. Start again to try these anew.")

    def once(self, label: str, asked: Piece, measure: Callable[[], Piece]) -> Piece | None:
        """What is known of a piece, or else what `measure` finds, which is written down.

        None if it raises RuntimeError: then the rest goes on, and a next start tries again.
        """
        known = self._known().get(_key(asked))
        if known is not None:
            return known
        started = time.monotonic()
        try:
            found = measure()
        except RuntimeError as error:
            self.say(f"{label}: failed: {error}")
            self.failed.append(label)
            return None
        self._add({"asked": asked, "found": found, "seconds": time.monotonic() - started})
        self.say(f"{label}: done")
        return found

    def _known(self) -> dict[str, Piece]:
        lines = self._whole_lines().decode().splitlines()
        records = [json.loads(line) for line in lines]
        return {_key(record["asked"]): record["found"] for record in records}

    def _whole_lines(self) -> bytes:
        """All but a last line that was not written to its end."""
        if not self.path.exists():
            return b""
        text = self.path.read_bytes()
        return text[: text.rfind(b"\n") + 1]

    def _add(self, record: Piece) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = len(self._whole_lines())
        with self.path.open("ab") as file:
            file.truncate(whole)
            file.write(json.dumps(record, sort_keys=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def _key(asked: Piece) -> str:
    return json.dumps(asked, sort_keys=True)
