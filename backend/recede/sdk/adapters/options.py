"""What an adapter passes on to `recede.watch`, checked when it is made and not when it trains."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from recede.contract.recorded.metric import Metric
from recede.sdk.network.masked import Evaluate
from recede_worker.core.cutting.discover import Prunable


class WatchOptions(TypedDict, total=False):
    """Options of `recede.watch`, but for those that the trainer knows: epochs and resume."""

    folder: str | Path | None
    name: str
    metric: str | Metric | None
    evaluate: Evaluate | None
    curve_s: float
    dataset: str
    prunable: Prunable
    weights_mb: int
    server: str | None
    token: str | None


def checked(options: WatchOptions, adapter: str) -> WatchOptions:
    """The options; raises TypeError for one that `recede.watch` does not have."""
    if unknown := options.keys() - WatchOptions.__annotations__.keys():
        raise TypeError(
            f"{adapter} has no option {', '.join(sorted(unknown))}; "
            f"it takes {', '.join(WatchOptions.__annotations__)}."
        )
    return options
