"""Running statistics measured again on training images, where they no longer fit the network.

Tensor letters: N images of the split, B batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from recede_worker.core.norms.statistics import measure_statistics
from recede_worker.engine.inputs.splits import Normalisation, Split

BATCH = 128


def measure_again(
    model: nn.Module,
    train: Split,
    normalise: Normalisation,
    *,
    seed: int,
    most: int,
    report: Callable[[int, int], None],
) -> None:
    """Replace the running statistics, in place, by those of at most so many training images.

    Equal seeds take the same images. `report` gets how many are done, and of how many, before
    each batch; it raises when the job is to stop.
    """
    order_N = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))
    images = train.pick(order_N[:most].to(train.y_N.device))
    done = 0

    def batches() -> Iterator[Tensor]:
        nonlocal done
        for x_BCHW, _ in images.evaluation_batches(normalise, BATCH):
            report(done, len(images))
            yield x_BCHW
            done += len(x_BCHW)

    measure_statistics(model, batches())
