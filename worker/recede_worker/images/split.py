"""The split of training images into training and validation, the same for equal seeds."""

from __future__ import annotations

import torch
from torch import Tensor

from recede.contract.errors import InvalidInput


def stratified_split(labels_N: Tensor, val_fraction: float, seed: int) -> tuple[Tensor, Tensor]:
    """Sorted indices (train, validation); each class in proportion, at least one in each part.

    The validation part has round(val_fraction · N) images unless a class would be without
    one; what rounding leaves over goes to the classes with the largest remainder.

    Raises:
        InvalidInput: the fraction is outside (0, 1), or a class has a single image.
    """
    if not 0 < val_fraction < 1:
        raise InvalidInput(
            f"Validation fraction was {val_fraction}; it must be above 0 and below 1.",
            field="val_fraction",
        )
    classes, counts = torch.unique(labels_N, return_counts=True)
    if int(counts.min()) < 2:
        lone = int(classes[counts.argmin()])
        raise InvalidInput(
            f"Class {lone} has a single image; two are needed, one to train and one to validate.",
            field="dataset",
        )
    generator = torch.Generator().manual_seed(seed)
    quotas = _quotas(counts.tolist(), val_fraction)
    chosen = []
    for label, quota in zip(classes, quotas, strict=True):
        of_class = (labels_N == label).nonzero().flatten()
        order = torch.randperm(of_class.numel(), generator=generator)
        chosen.append(of_class[order[:quota]])
    val = torch.cat(chosen).sort().values
    in_train = torch.ones(labels_N.numel(), dtype=torch.bool)
    in_train[val] = False
    return in_train.nonzero().flatten(), val


def _quotas(counts: list[int], fraction: float) -> list[int]:
    """Validation images of each class by the largest-remainder rule."""
    quotas = [min(max(1, int(count * fraction)), count - 1) for count in counts]
    left = round(sum(counts) * fraction) - sum(quotas)
    by_remainder = sorted(range(len(counts)), key=lambda i: (quotas[i] - counts[i] * fraction, i))
    for i in by_remainder[: max(left, 0)]:
        quotas[i] = min(quotas[i] + 1, counts[i] - 1)
    return quotas
