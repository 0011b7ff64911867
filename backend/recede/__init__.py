"""Recede, and for your own training loop: `recede.watch`, `serve`, `gate`, `cut` and `fold`.

`recede.LightningCallback` and `recede.watch_ultralytics` do what `watch` does for trainings by
Lightning and Ultralytics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recede.sdk.adapters.lightning import LightningCallback as LightningCallback
    from recede.sdk.own_training import (
        Gates,
        Metric,
        cut,
        fold,
        gate,
        serve,
        watch,
        watch_ultralytics,
    )

__all__ = ["Gates", "Metric", "cut", "fold", "gate", "serve", "watch", "watch_ultralytics"]


def __getattr__(name: str) -> Any:
    """What needs torch is imported when it is asked for: the web side lives without it.

    Raises:
        ImportError: PyTorch, or what an adapter is for, is not installed.
    """
    if name not in (*__all__, "LightningCallback"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        if name == "LightningCallback":  # not in __all__: Lightning may not be installed
            from recede.sdk.adapters import lightning  # noqa: PLC0415

            return lightning.LightningCallback
        from recede.sdk import own_training  # noqa: PLC0415 - imports torch
    except ModuleNotFoundError as error:
        raise ImportError(
            f"recede.{name} needs PyTorch and what goes with it ({error.name} is missing): "
            "pip install 'recede[worker]'."
        ) from error
    return getattr(own_training, name)
