"""What is taken where a spec leaves something open, in words, before anything is queued."""

from __future__ import annotations

from recede.contract.spec.catalog import Catalog
from recede.contract.spec.params import ParamSpec
from recede.contract.spec.published import IMAGES, facts, in_words
from recede.contract.spec.run import RunSpec

_ROUNDING = 0.1
"""Recommended values have two figures, so that value × steps is only about what is wanted."""


def steps(catalog: Catalog, checked: RunSpec) -> int:
    """Optimiser steps of the whole training of a checked spec."""
    dataset = catalog.dataset(checked.dataset).resolved(checked.dataset_params)
    return dataset.steps(checked.epochs, checked.batch_size, checked.val_fraction)


def reasons(catalog: Catalog, given: RunSpec, checked: RunSpec) -> dict[str, str]:
    """Dotted field → why it has its value, for what was left open and depends on other fields.

    `given` is the spec as it was asked for, `checked` what Catalog.check made of it.
    """
    found = _pixels(checked) | _published(catalog, given, checked)
    method = catalog.method(checked.method)
    total = steps(catalog, checked)
    open_ = set(method.given(given)) - set(given.method_params)
    for parameter in method.params:
        if parameter.per_steps is None or parameter.name in given.method_params:
            continue
        value = float(checked.method_params[parameter.name])
        found[f"method_params.{parameter.name}"] = (
            _without(value, checked) if parameter.name in open_ else _fits(parameter, value, total)
        )
    return found


def _pixels(checked: RunSpec) -> dict[str, str]:
    """What a network is fed whose weights do not say how they were trained."""
    init = checked.init
    if init is None or init.file is None or checked.normalize != "auto":
        return {}
    return {
        "normalize": "by mean and deviation of the training images, for the file does not say "
        "what its weights were trained with; published networks for photographs want imagenet1k"
    }


def _published(catalog: Catalog, given: RunSpec, checked: RunSpec) -> dict[str, str]:
    """What is known of published weights, and what they decide."""
    architecture = catalog.architecture(checked.architecture)
    weights = architecture.weights_of(checked)
    if weights is None or checked.init is None:
        return {}
    if checked.init.file is None:
        found = {"init.pretrained": in_words(weights)}
    else:
        tag = architecture.tag_of(checked)
        found = {"init.file": f"by their name the published ones {tag}; {facts(weights)}"}
    if given.normalize == "auto":
        found["normalize"] = "as these weights were trained"
    for name in IMAGES:
        theirs = getattr(weights, name)
        ours = checked.dataset_params.get(name, theirs)
        if name in checked.dataset_params.keys() - given.dataset_params.keys():
            found[f"dataset_params.{name}"] = f"{ours}: as these weights were evaluated"
        elif ours != theirs:
            found[f"dataset_params.{name}"] = (
                f"{ours}, though these weights were evaluated with {theirs}: their accuracy will "
                "differ"
            )
    return found


def _without(value: float, checked: RunSpec) -> str:
    if not checked.trains:
        return f"{value}: nothing is trained"
    return f"{value} for fine-tuning after a cut: it goes without the regulariser, as published"


def _fits(parameter: ParamSpec, value: float, total: int) -> str:
    wanted = parameter.per_steps or 0.0
    exact = wanted / max(total, 1)
    equation = f"{value} = {wanted:g} ÷ {total:,} steps"
    if abs(value - exact) <= _ROUNDING * exact:
        return equation
    if value < exact:
        limit = f"capped at {value}: the sum gives {exact:.2g}, which costs accuracy"
        return f"{equation}, {limit}; train longer"
    return f"{equation}, but at least {value}: the sum gives {exact:.2g}"
