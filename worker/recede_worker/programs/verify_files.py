"""`python -m recede_worker --verify`: the proof of a checkpoint's files, without a store.

Writes one JSON object a line: {"message"} while it works, and at the end {"checks", "ok",
"about"} or {"error"}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from recede.contract.errors import RecedeError
from recede_worker.engine.verification.archive import open_archive
from recede_worker.engine.verification.verify import summary, verified


def prove(path: Path, *, trust: bool) -> int:
    """Verify a ZIP, a folder or one file beside its manifest; returns the exit code."""
    try:
        with open_archive(path) as archive:
            checks = verified(archive, trust=trust, report=lambda text: _write({"message": text}))
            states = [check.state for check in checks]
            is_proved = any(check.state == "ok" and "=" in check.what for check in checks)
            answer: dict[str, Any] = {
                "ok": is_proved and "failed" not in states,
                "wrong": "failed" in states,
                "checks": [vars(check) for check in checks],
                "about": summary(archive.manifest),
            }
    except RecedeError as error:
        answer = {"ok": False, "error": error.as_dict()}
    _write(answer)
    return 0 if answer["ok"] else 1


def _write(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
