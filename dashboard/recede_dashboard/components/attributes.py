"""HTML attributes with hyphens, which Python's keywords cannot spell."""

from __future__ import annotations

from typing import Any


def attrs(**named: Any) -> dict[str, Any]:
    """`attrs(aria_label="Close", data_testid="x")` as {"aria-label": …, "data-testid": …}."""
    return {name.replace("_", "-"): value for name, value in named.items()}
