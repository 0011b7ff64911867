"""How pixels are normalised before a network sees them: a setting of a run, and its text."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from recede.contract.errors import InvalidInput

Automatic = Literal["auto", "images"]
"""auto: as the weights to start from were trained, where that is known, else as "images":
mean and deviation of the run's own training images."""
_Mean = Annotated[float, Field(ge=-10, le=10, allow_inf_nan=False, strict=True)]
_Deviation = Annotated[float, Field(ge=1e-4, le=10, allow_inf_nan=False, strict=True)]
_SEPARATOR = "/"


class Normalize(BaseModel):
    """Mean and deviation for each channel: a network sees (pixel / 255 − mean) / std."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mean: tuple[_Mean, ...] = Field(min_length=1, max_length=4)
    std: tuple[_Deviation, ...] = Field(min_length=1, max_length=4)

    @model_validator(mode="after")
    def _one_for_each_channel(self) -> Self:
        if len(self.mean) != len(self.std):
            raise ValueError("needs as many deviations as means, one for each channel")
        return self


IMAGENET = Normalize(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""What nearly all published networks for photographs were trained with."""
PIXELS: dict[str, Automatic | Normalize] = {
    "auto": "auto",
    "images": "images",
    "imagenet1k": IMAGENET,
}
"""What can be written as one word."""


def read_pixels(text: str) -> Automatic | Normalize:
    """What `pixels_text` writes: a word of PIXELS, or means/deviations as 0.5,0.5,0.5/0.2,0.2,0.2.

    Raises:
        InvalidInput: neither.
    """
    wanted = text.strip().lower()
    if wanted in PIXELS:
        return PIXELS[wanted]
    parts = [_numbers(part) for part in wanted.split(_SEPARATOR)]
    try:
        mean, std = parts
        return Normalize(mean=mean, std=std)
    except ValueError:  # pydantic's are such, too
        raise InvalidInput(
            f"Normalisation was {text!r}; it must be {', '.join(PIXELS)}, or the means and the "
            "deviations of the channels of pixel / 255.",
            field="normalize",
            hint=f"For example {pixels_text(IMAGENET, plain=True)}, which is imagenet1k.",
        ) from None


def _from_text(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    try:
        return read_pixels(given)
    except InvalidInput as error:
        raise ValueError(f"{error.message} {error.hint}".rstrip(".")) from None


def _member(given: Any) -> str:
    return "Automatic" if isinstance(given, str) else "Normalize"


Pixels = Annotated[
    Annotated[Normalize, Tag("Normalize")] | Annotated[Automatic, Tag("Automatic")],
    Discriminator(_member),
    BeforeValidator(_from_text),
]
"""The field of a spec; text is read as the command line reads it."""


def pixels_text(given: Automatic | Normalize, *, plain: bool = False) -> str:
    """The shortest text that `read_pixels` reads; `plain` writes the numbers in any case."""
    for word, value in PIXELS.items():
        if value == given and not plain:
            return word
    if not isinstance(given, Normalize):
        return given
    return _SEPARATOR.join(",".join(f"{x:.8g}" for x in part) for part in (given.mean, given.std))


def _numbers(text: str) -> tuple[float, ...]:
    """Numbers separated by commas; NaN, which no bound lets pass, for what is none."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        return (math.nan,)
