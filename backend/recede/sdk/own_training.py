"""What `recede` offers to somebody's own training, in one place; it imports torch."""

from __future__ import annotations

from recede.contract.recorded.metric import Metric
from recede.sdk.adapters.ultralytics import watch_ultralytics
from recede.sdk.cutting import cut, fold
from recede.sdk.gating import Gates, gate
from recede.sdk.serving.serve import serve
from recede.sdk.watching.watch import watch

__all__ = ["Gates", "Metric", "cut", "fold", "gate", "serve", "watch", "watch_ultralytics"]
