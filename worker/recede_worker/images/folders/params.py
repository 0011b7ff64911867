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


CROP = ParamSpec(
    name="crop_pct",
    kind="float",
    default=0.0,
    label="Middle kept",
    help="Side of the middle square that is seen, as a share of the shorter side, such as 0.875. "
    "0 takes all of it, and 0.875 of sets too large for the memory.",
    minimum=0.0,
    maximum=1.0,
    bound_reason="a share; 1 is all of the shorter side",
)
INTERPOLATION = ParamSpec(
    name="interpolation",
    kind="choice",
    default="bilinear",
    label="Interpolation",
    help="How images are resized; published weights state which they were evaluated with.",
    choices=("bilinear", "bicubic", "lanczos"),
)
RESIZING = (CROP, INTERPOLATION)


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
    """What the images become; runs of earlier versions have no parameters of RESIZING."""
    crop, how = (params.get(param.name, param.default) for param in RESIZING)
    zoom = 1 / float(crop) if crop else None
    return Form(channels, int(params["image_size"]), zoom, str(how))


def skips_bad(params: Mapping[str, ParamValue]) -> bool:
    """Whether bad files are skipped and only reported."""
    return params["bad_files"] == "skip"
