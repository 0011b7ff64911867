"""Numbers as they are typed. Pure."""

from __future__ import annotations

import math
from typing import Any


def read_number(text: Any, *, whole: bool) -> int | float | None:
    """The typed number; None if it is not one. A decimal comma is accepted."""
    if isinstance(text, bool) or text is None:
        return None
    if isinstance(text, int | float):
        return text
    typed = str(text).strip()
    if typed.count(",") == 1 and "." not in typed:
        typed = typed.replace(",", ".")
    try:
        value = float(typed)
    except ValueError:
        return None
    return int(value) if whole and math.isfinite(value) and value == int(value) else value
