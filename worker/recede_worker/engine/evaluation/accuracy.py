"""Accuracy and loss of a network over a whole split: exact, every image counted once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from recede_worker.engine.inputs.splits import Normalisation, Split


@dataclass(frozen=True)
class Evaluation:
    """Correct answers of n images and their mean cross-entropy."""

    correct: int
    n: int
    loss: float
    seconds: float
    predicted_N: Tensor = field(repr=False, compare=False)
    """The class that each image was given, on the CPU."""


@torch.no_grad()
def evaluate(
    model: nn.Module,
    split: Split,
    normalise: Normalisation,
    check: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Evaluate in eval mode; the model's mode is put back. `check` is called for each batch."""
    was_training = model.training
    model.eval().to(memory_format=torch.channels_last)
    started = time.perf_counter()
    predicted: list[Tensor] = []
    loss = torch.zeros((), dtype=torch.float64, device=split.y_N.device)
    try:
        for x_BCHW, y_B in split.evaluation_batches(normalise):
            check()
            logits_BK = model(x_BCHW)
            predicted.append(logits_BK.argmax(1))
            loss += functional.cross_entropy(logits_BK, y_B, reduction="sum").double()
    finally:
        model.train(was_training)
    correct = int((torch.cat(predicted) == split.y_N).sum())
    predicted_N = torch.cat(predicted).cpu()
    seconds = time.perf_counter() - started  # after what was copied here: the device is done
    return Evaluation(correct, len(split), float(loss) / len(split), seconds, predicted_N)
