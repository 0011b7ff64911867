"""Running statistics that keep up with gates: measured again before an epoch is evaluated.

Gates move 50 times as fast as weights, so that what reaches a layer has changed since the batches
that its running average still remembers; evaluated with it, a network looks worse than it is.

Tensor letters: N images of the split, B batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from recede_worker.core.norms.statistics import measure_statistics
from recede_worker.engine.inputs.splits import Normalisation, Split

MOST, LEAST, SHARE = 2_048, 256, 1 / 4
"""How many training images: a share of them, between two numbers."""
BATCH = 128


def keep_up(
    model: nn.Module,
    train: Split,
    normalise: Normalisation,
    seed: int,
    check: Callable[[], None],
) -> None:
    """Replace the running statistics, in place, by those of some training images.

    Equal seeds take the same images at every epoch. `check` raises when the job is to stop.
    """
    n = min(len(train), MOST, max(LEAST, round(SHARE * len(train))))
    order_N = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))
    images = train.pick(order_N[:n].to(train.y_N.device))

    def batches() -> Iterator[Tensor]:
        for x_BCHW, _ in images.evaluation_batches(normalise, BATCH):
            check()
            yield x_BCHW

    measure_statistics(model, batches())
