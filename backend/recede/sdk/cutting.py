"""The cut for any loop: a smaller copy of somebody's own trained network, without a service."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from recede.contract.cut.selection import Selection, select
from recede.contract.errors import InvalidInput, RecedeError
from recede.contract.network.shape import NetworkShape
from recede.contract.spec.run import IMPORTANCE, Plan
from recede.contract.validation import in_words
from recede.sdk.network.traced import images_of, traced
from recede_worker.core.cutting.discover import Prunable
from recede_worker.core.cutting.surgery import Surgeon, max_difference
from recede_worker.core.norms.fold import fold
from recede_worker.core.norms.importance import raw_scales
from recede_worker.core.norms.scaling import Norms

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
    """A smaller copy of a trained classifier, in evaluation mode; `model` stays as it is.

    Neurons are ranked by the scales of the batch norms behind them: |γ|, or σ(w) of bounded
    ones. The result is given out only if it computes what the masked network does on the
    example inputs, in float64.

    Args:
        model: gives (N, classes) for images, in evaluation mode.
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
    shape, norms = traced(dense, images, prunable)
    selection = select(shape, raw_scales(dense, list(norms.values()), shape.sizes), wanted)
    _prove(dense, shape, norms, selection, images)
    small = Surgeon(dense, shape, norms).cut(selection.mask, selection.variant)
    return small.to(next(model.parameters()).device)


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


def _prove(
    dense: nn.Module, shape: NetworkShape, norms: Norms, selection: Selection, images: Tensor
) -> None:
    surgeon = Surgeon(copy.deepcopy(dense).double(), shape, norms)
    small = surgeon.cut(selection.mask, selection.variant)
    masked, exact = surgeon.masked(selection.mask, selection.variant), images.double()
    with torch.inference_mode():
        size = float(masked(exact).abs().max())
    difference = max_difference(small, masked, exact)
    if not difference <= TOLERANCE * max(1.0, size):
        raise CutNotProven(
            f"The cut network differs from the masked one by {difference:.2g} on outputs up to "
            f"{size:.2g}; at most {TOLERANCE:g} of them is rounding.",
            field="model",
            hint="Its way through the layers may depend on the images; please report the network.",
        )
