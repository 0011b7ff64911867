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
from recede_worker.core.cutting.discover import Prunable, prunable_norms
from recede_worker.core.cutting.surgery import Surgeon, max_difference
from recede_worker.core.graph.channels import network_shape
from recede_worker.core.norms.bounded import BoundedBatchNorm2d
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
    images = _images(example_inputs)
    dense = copy.deepcopy(model).cpu().eval()
    shape, norms = _shape(dense, images, prunable)
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


def _images(given: Tensor) -> Tensor:
    if isinstance(given, Tensor) and given.ndim == 4 and len(given):
        return given.detach().cpu()
    found = f"shape {tuple(given.shape)}" if isinstance(given, Tensor) else type(given).__name__
    raise InvalidInput(
        f"example_inputs had {found}; a tensor (N, C, H, W) with at least one image is needed.",
        field="example_inputs",
        hint="Take a batch from your data loader, as the model takes it.",
    )


def _shape(dense: nn.Module, images: Tensor, prunable: Prunable) -> tuple[NetworkShape, Norms]:
    with torch.inference_mode():
        output = dense(images[:1])
    if not isinstance(output, Tensor) or output.ndim != 2:
        found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise InvalidInput(
            f"For one image the model gives {found}; scores (1, classes) are needed.",
            field="model",
            hint="Wrap it in a module that returns the scores alone.",
        )
    channels, height, width = images.shape[1:]
    input_shape, classes = (channels, height, width), output.shape[1]
    # Looking for what can be cut draws other weights.
    norms = prunable_norms(copy.deepcopy(dense), input_shape, classes, prunable=prunable)
    bounded = any(isinstance(module, BoundedBatchNorm2d) for module in dense.modules())
    shape = network_shape(
        dense,
        architecture=type(dense).__name__,
        norms=norms,
        input_shape=input_shape,
        classes=classes,
        scale="bounded" if bounded else "plain",
    )
    return shape, norms


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
