"""`python -m recede_worker --inspect`: the check of a folder of images without a training.

Writes one JSON object a line: {"done", "total", "message"} while it works, and at the end
{"report"}, {"error"} or both.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recede.contract.errors import RecedeError
from recede_worker.images.folders.examine import Form
from recede_worker.images.folders.load import (
    Wanted,
    check,
    require_enough,
)
from recede_worker.images.folders.tree import PARTS, is_inside

REPORT_EVERY_S = 0.1


def inspect(folder: Path, roots: Sequence[Path], size: int, channels: int) -> int:
    """Check a folder, anywhere on this machine; returns the exit code.

    What is found is remembered for the next run only if the folder lies below a data root.
    """
    inside = is_inside(folder, roots)
    wanted = Wanted(
        folder=folder,
        roots=roots if inside else (folder,),
        names=PARTS,
        form=Form(channels, size),
        skip_bad=False,
        flip=True,
        remember=inside,
    )
    answer: dict[str, Any] = {"below_a_data_root": inside}
    try:
        tree, findings, images = check(wanted, _Reporter())
        answer["report"] = images.report
        require_enough(tree, findings)
    except RecedeError as error:
        answer["error"] = error.as_dict()
    _write(answer)
    return 1 if "error" in answer else 0


class _Reporter:
    """Reports how far the check is, a few times a second."""

    def __init__(self) -> None:
        self.reported_at = 0.0

    def __call__(self, done: int, total: int, message: str, unit: str = "bytes", /) -> None:
        now = time.monotonic()
        if now - self.reported_at >= REPORT_EVERY_S or done == total:
            self.reported_at = now
            _write({"done": done, "total": total, "message": message, "unit": unit})


def _write(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
