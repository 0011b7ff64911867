"""Gates and penalties for any loop: the importances of somebody's own network recede."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from recede.contract.errors import InvalidInput, UnknownName
from recede.contract.network.shape import NetworkShape
from recede.contract.spec.params import ParamValue, check_params
from recede.sdk.network.traced import copied, images_of, traced, unwrapped
from recede_worker.core.cutting.discover import Prunable
from recede_worker.core.norms import gated
from recede_worker.core.norms.bounded import BoundedBatchNorm2d
from recede_worker.core.norms.importance import Scales, concatenated, scale_parameters
from recede_worker.core.norms.scaling import Norms, all_names
from recede_worker.methods.base import Method
from recede_worker.plugins import registry


class Gates:
    """The gates of one network: what the penalty acts on, on the device of the network."""

    def __init__(self, model: nn.Module, shape: NetworkShape, norms: Norms) -> None:
        self._model, self._shape, self._norms = model, shape, norms
        self._checked: dict[tuple[Any, ...], tuple[Method, dict[str, ParamValue]]] = {}

    @cached_property
    def _scales(self) -> Scales:
        return scale_parameters(self._model, list(self._norms.values()), self._shape.sizes)

    def parameters(self) -> list[nn.Parameter]:
        """The logits w, one tensor a batch norm, for a parameter group of their own."""
        return list(self._scales)

    def penalty(self, method: str, *, steps: int | None = None, **params: ParamValue) -> Tensor:
        """What to add to the loss in each step, a scalar: λ·R of the logits as they are now.

        Args:
            method: a method that bounds importances.
            steps: how many optimiser steps the whole training takes; a strength that is left
                out is made for so many.
            params: the method's own parameters, as its strength `lam`.

        Raises:
            UnknownName: no such method, or it has no such parameter.
            InvalidInput: a parameter out of its bounds, or a method for ordinary batch norms.
        """
        key = (method, steps, *sorted(params.items()))
        if key not in self._checked:
            found = _method(method)
            self._checked[key] = (
                found,
                check_params(found.info.params, params, "params", steps=steps, gated=True),
            )
        chosen, values = self._checked[key]
        return chosen.penalty(concatenated(self._scales), values)


def gate(
    model: nn.Module, example_inputs: Tensor, *, prunable: Prunable = "inner", seed: int = 0
) -> Gates:
    """Put a gate on each channel of a trained network that can be cut, in place.

    Each of their batch norms becomes y = σ(w)/σ(w₀)·(γ·x̂ + β) with w = w₀: the outputs are as
    before, to the last bit. Call it before the optimiser and DistributedDataParallel are made,
    and give the gates about 50 times the learning rate and no weight decay. In every process
    the same `seed` draws the same w₀. `recede.fold` or `recede.cut` make ordinary batch norms
    of them.

    Args:
        model: gives a tensor with a row for each image, or a tuple or dict that holds one.
        example_inputs: at least one image as the model takes it, (N, C, H, W).
        prunable: "inner" gates channels that go alone, "all" also those that shortcuts join.

    Raises:
        InvalidInput: the inputs or the network cannot be used, or it has gates already; the
            message says why and the network is as it was.
    """
    network = unwrapped(model)
    if any(isinstance(module, BoundedBatchNorm2d) for module in network.modules()):
        raise InvalidInput(
            "The network has gates or bounded batch norms already.",
            field="model",
            hint="Gate a network once, or fold it first: recede.fold(model).",
        )
    shape, norms, _ = traced(copied(network), images_of(example_inputs), prunable)
    gated.gate(network, all_names(norms.values()), torch.Generator().manual_seed(seed))
    return Gates(network, shape.model_copy(update={"scale": "bounded"}), norms)


def _method(name: str) -> Method:
    known = {n: method for n, method in registry.methods().items() if _bounds(method)}
    if name in registry.methods() and name not in known:
        raise InvalidInput(
            f"{name!r} penalises the scales of ordinary batch norms, not gates.",
            field="method",
            hint=f"These act on gates: {', '.join(known)}.",
        )
    if name not in known:
        raise UnknownName("method", name, list(known), field="method")
    return known[name]


def _bounds(method: Method) -> bool:
    return method.info.scale == "bounded"
