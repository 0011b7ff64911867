"""Learning rate over a training: warm-up, then the published steps or half a cosine."""

from __future__ import annotations

import math

from recede.contract.spec.run import RunSpec


def lr_at(done: float, spec: RunSpec) -> float:
    """Learning rate after `done` epochs (a fraction in the middle of one), in [0, spec.epochs).

    Warm-up rises linearly to the full rate. "step" divides it by 10 at 50 % and 75 % of all
    epochs, "cosine" lets it fall from the end of the warm-up to 0 at the end of the training.
    """
    if done < spec.warmup_epochs:
        return spec.lr * (done + WARMUP_START) / (spec.warmup_epochs + WARMUP_START)
    if spec.schedule == "cosine":
        share = (done - spec.warmup_epochs) / (spec.epochs - spec.warmup_epochs)
        return spec.lr * 0.5 * (1 + math.cos(math.pi * share))
    share = math.floor(done) / spec.epochs
    return spec.lr / (1 if share < 0.5 else 10 if share < 0.75 else 100)


WARMUP_START = 0.1  # epochs: so that the very first step already moves the weights
