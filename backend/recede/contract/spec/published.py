"""Weights that a library publishes for its networks, as the catalog lists them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from pydantic import BaseModel, ConfigDict

from recede.contract.errors import UnknownName
from recede.contract.network.pixels import Normalize
from recede.contract.spec.run import RunSpec

FIELD = "init.pretrained"
IMAGES = ("image_size", "crop_pct", "interpolation")
"""What weights were evaluated with; parameters of data sets have the same names."""
_SEPARATOR = "/"


class PublishedWeights(BaseModel):
    """Weights that differ in their names alone, and what they were trained with."""

    model_config = ConfigDict(frozen=True)

    names: tuple[str, ...]
    """TAG, or MODEL/TAG where the parameter `model` chooses the network."""
    normalize: Normalize
    image_size: int
    """Height and width in pixels that the network was evaluated with."""
    crop_pct: float
    """Side of the middle square that it was evaluated on, as a share of the shorter side."""
    interpolation: str
    """How images were resized to it."""
    classes: int
    """Outputs of the head; 0 if it has none."""
    licence: str = ""
    """As the library states it; empty if it states none."""
    size_bytes: int = 0
    """Of the file; 0 where the library does not say."""
    file: str = ""
    """Name of the file where it is published, if that is theirs alone."""


def name_of(model: str, tag: str) -> str:
    """How weights of one of several networks are called."""
    return f"{model}{_SEPARATOR}{tag}"


def tags(
    published: Sequence[PublishedWeights], params: Mapping[str, Any]
) -> dict[str, PublishedWeights]:
    """The weights for the network of these parameters, by their tags."""
    prefix = name_of(str(params["model"]), "") if "model" in params else ""
    return {
        name.removeprefix(prefix): weights
        for weights in published
        for name in weights.names
        if name.startswith(prefix)
    }


def chosen(
    published: Sequence[PublishedWeights], params: Mapping[str, Any], tag: str
) -> PublishedWeights:
    """The weights with that tag; raises UnknownName, which lists those that there are."""
    known = tags(published, params)
    if tag not in known:
        raise UnknownName("published weights", tag, sorted(known), field=FIELD)
    return known[tag]


def named(
    published: Sequence[PublishedWeights], params: Mapping[str, Any], file: str
) -> str | None:
    """The tag of the weights of which a file has the name, wherever it lies."""
    name = PurePath(file).name
    for tag, weights in tags(published, params).items():
        own = f"{params['model']}.{tag}.safetensors" if "model" in params else ""
        if name in {weights.file, own} - {""}:
            return tag
    return None


def as_trained(
    spec: RunSpec, weights: PublishedWeights | None, declared: Iterable[str]
) -> RunSpec:
    """What the spec leaves open of its images is as published weights were trained with.

    `declared` are the parameters of its data set.
    """
    if weights is None:
        return spec
    changes: dict[str, Any] = {}
    if spec.normalize == "auto":
        changes["normalize"] = weights.normalize
    open_ = set(declared) - spec.dataset_params.keys()
    found = {name: getattr(weights, name) for name in IMAGES if name in open_}
    changes["dataset_params"] = spec.dataset_params | found
    return spec.model_copy(update=changes)


def in_words(weights: PublishedWeights) -> str:
    """What a user should know before they are fetched."""
    size = f"{weights.size_bytes / 1e6:.0f} MB" if weights.size_bytes else "of unstated size"
    return f"{size}, downloaded by the worker unless it has them; {facts(weights)}"


def facts(weights: PublishedWeights) -> str:
    """What is known of them, in words."""
    licence = weights.licence or "none stated by the library"
    return f"licence: {licence}; {weights.classes} classes, images of {weights.image_size} pixels"
