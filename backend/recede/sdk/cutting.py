"""The cut for any loop: a smaller copy of somebody's own trained network, without a service."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from recede.contract.cut.selection import select
from recede.contract.errors import InvalidInput, RecedeError
from recede.contract.spec.run import IMPORTANCE, Plan
from recede.contract.validation import in_words
from recede.sdk.network.outputs import as_given, compared
from recede.sdk.network.traced import images_of, traced
from recede_worker.core.cutting.discover import Prunable
from recede_worker.core.cutting.surgery import Surgeon
from recede_worker.core.norms.fold import fold
from recede_worker.core.norms.importance import raw_scales

__all__ = ["cut", "fold"]

TOLERANCE = 1e-9
"""Of the largest output: what sums in another order may differ by in float64."""


class CutNotProven(RecedeError):
    """The cut network does not compute what the masked one does; no network is given out."""

    code = "cut_not_proven"


def cut(
    model: nn.Module,
    example_inputs: Tensor,
    plan: Plan | Mapping[str, Any] | float,
    *,
    prunable: Prunable = "inner",
) -> nn.Module:
    """A smaller copy of a trained network, in evaluation mode; `model` stays as it is.

    Neurons are ranked by the scales of the batch norms behind them: |γ|, or σ(w) of bounded
    ones. The result is given out only if it computes what the masked network does on the
    example inputs, in float64.

    Args:
        model: gives scores or maps for images, or a tuple or dict of tensors, in evaluation
            mode: at least one with a row for each image.
        example_inputs: at least one image as the model takes it, (N, C, H, W).
        plan: a share of the neurons to remove, in [0, 1), or a Plan or its fields:
            `{"threshold": 0.01, "round_to": 8}`.
        prunable: "inner" cuts channels that go alone, "all" also those that shortcuts join.

    Raises:
        InvalidInput: the plan, the inputs or the network cannot be used; the message says why.
        ImpossiblePlan, UnknownName: the plan does not fit the network.
        CutNotProven: cut and masked network differ.
    """
    wanted = _plan(plan)
    images = images_of(example_inputs)
    dense = copy.deepcopy(model).cpu().eval()
    shape, norms, routes = traced(dense, images, prunable)
    selection = select(shape, raw_scales(dense, list(norms.values()), shape.sizes), wanted)
    exact = Surgeon(copy.deepcopy(dense).double(), shape, norms, routes)
    small, masked = (make(selection.mask, selection.variant) for make in (exact.cut, exact.masked))
    _prove(as_given(small), as_given(masked), images.double())
    small = Surgeon(dense, shape, norms, routes).cut(selection.mask, selection.variant)
    return as_given(small).to(next(model.parameters()).device)


def _plan(given: Plan | Mapping[str, Any] | float) -> Plan:
    fields = {"ratio": float(given)} if isinstance(given, int | float) else given
    try:
        plan = given if isinstance(given, Plan) else Plan.model_validate(fields)
    except ValidationError as error:
        raise in_words(error.errors(), Plan, subject="The plan") from None
    if plan.criterion != IMPORTANCE:
        raise InvalidInput(
            f"The criterion was {plan.criterion!r}; here scales alone rank neurons.",
            field="criterion",
            hint="Leave it out.",
        )
    return plan


def _prove(small: nn.Module, masked: nn.Module, images: Tensor) -> None:
    """Raises CutNotProven unless both give the same tensors, in float64."""
    with torch.inference_mode():
        found, wanted = compared(small(images)), compared(masked(images))
    shapes = [[tuple(tensor.shape) for tensor in tensors] for tensors in (found, wanted)]
    if shapes[0] != shapes[1]:
        raise CutNotProven(
            f"The cut network gives tensors of shapes {shapes[0]}, the masked one {shapes[1]}.",
            field="model",
            hint="Return only what its last layers make of the images.",
        )
    for tensor, other in zip(found, wanted, strict=True):
        if not tensor.numel():
            continue
        difference, size = float((tensor - other).abs().max()), float(other.abs().max())
        if not difference <= TOLERANCE * max(1.0, size):
            raise CutNotProven(
                f"The cut network differs from the masked one by {difference:.2g} on outputs up "
                f"to {size:.2g}; at most {TOLERANCE:g} of them is rounding.",
                field="model",
                hint="Its way through the layers may depend on the images; please report the "
                "network.",
            )
