"""The parameters that data sets of image files share."""

from __future__ import annotations

from collections.abc import Mapping

from recede.contract.spec.catalog import MAX_IMAGE, MIN_IMAGE
from recede.contract.spec.params import ParamSpec, ParamValue
from recede_worker.images.folders.examine import Form

BAD_FILES = ParamSpec(
    name="bad_files",
    kind="choice",
    default="stop",
    label="Bad files",
    help="Files that are truncated, damaged or not images: stop before the training and list "
    "them, or skip them and train on the rest.",
    choices=("stop", "skip"),
)


def image_size(default: int) -> ParamSpec:
    """The size that images get; what is larger is made smaller, and the middle is cut out."""
    return ParamSpec(
        name="image_size",
        kind="int",
        default=default,
        label="Image size",
        help="Height and width in pixels that each image is resized to, by its shorter side; "
        "then the middle is cut out. Cost and memory grow with its square.",
        minimum=MIN_IMAGE,
        maximum=MAX_IMAGE,
        bound_reason="smaller images vanish in the first pools, larger ones fill any memory",
    )


def form_of(params: Mapping[str, ParamValue], channels: int = 3) -> Form:
    """What the images become."""
    return Form(channels, int(params["image_size"]))


def skips_bad(params: Mapping[str, ParamValue]) -> bool:
    """Whether bad files are skipped and only reported."""
    return params["bad_files"] == "skip"
