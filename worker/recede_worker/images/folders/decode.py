"""From one image file to 8-bit pixels of a wanted form, or the reason why not.

Any mode becomes grey or RGB: what is transparent shows white, 16 bits are divided by 257, and
the rotation that a camera noted is applied.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

MAX_PIXELS = 89_478_485
"""256 MiB of RGB, where Pillow warns of decompression bombs: larger files are refused unread."""

MODES = {1: "L", 3: "RGB"}
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
"""All that are opened; for some of the others Pillow starts programs."""


DAMAGE = (
    *(SyntaxError, ValueError, TypeError, AttributeError, AssertionError, ArithmeticError),
    *(LookupError, EOFError, RuntimeError, struct.error, zlib.error),
)
"""What Pillow raises for damaged files, beside OSError."""


class BadImage(Exception):
    """A file that is not a complete image; its text is the reason, without the file's name."""


@dataclass(frozen=True)
class Seen:
    """The header of a file: width and height as stored, and Pillow's mode."""

    width: int
    height: int
    mode: str


def decode(path: str, channels: int, goal: int) -> tuple[Image.Image, Seen]:
    """The whole image, upright, in mode "L" or "RGB", and what the file was.

    A JPEG much larger than `goal` pixels is decoded at a half, a quarter or an eighth, though
    never below twice the goal; its bytes are read to the end all the same.

    Raises:
        BadImage: no bytes, no image, cut short, too large or not to be read.
    """
    try:
        if os.stat(path).st_size == 0:  # noqa: PTH116 - called a million times
            raise BadImage("has no bytes")
        with Image.open(path, formats=FORMATS) as image:
            seen = Seen(*image.size, image.mode)
            if seen.width * seen.height > MAX_PIXELS:
                raise BadImage(_too_large(seen.width * seen.height))
            image.draft(None, (2 * goal, 2 * goal))
            image.load()
            return _coloured(_upright(image), channels), seen
    except BadImage:
        raise
    except UnidentifiedImageError:
        raise BadImage("is not an image of a known kind") from None
    except Image.DecompressionBombError:
        raise BadImage(_too_large(None)) from None
    except OSError as problem:
        raise BadImage(_reason(problem)) from problem
    except DAMAGE as problem:
        raise BadImage(f"is damaged ({type(problem).__name__}: {problem})") from problem


def square(
    image: Image.Image, size: int, zoom: float = 1.0, interpolation: str = "bilinear"
) -> Image.Image:
    """The middle square, `1 / zoom` of the shorter side wide, resized to size × size."""
    width, height = image.size
    if width == height == size and zoom == 1:
        return image
    side = min(width, height) / zoom
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    return image.resize((size, size), Image.Resampling[interpolation.upper()], box=box)


def pixels(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Channels first, uint8, a view where possible."""
    array = np.asarray(image)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, *DAMAGE):  # damaged metadata does not make the image unusable
        return image


def _coloured(image: Image.Image, channels: int) -> Image.Image:
    if image.mode.startswith("I;16"):
        image = _grey(np.asarray(image).astype(np.float64) / 257)
    elif image.mode == "I":  # 16 bits as older formats store them, or all 32
        wide = np.asarray(image).astype(np.float64)
        image = _grey(wide / (257 if wide.max() <= 65_535 else 16_843_009))
    elif image.mode == "F":
        real = np.nan_to_num(np.asarray(image), nan=0.0)
        image = _grey(real * 255 if real.max() <= 1 else real)
    elif image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    if image.mode in ("LAB", "HSV", "YCbCr", "CMYK"):  # not all of them become grey directly
        image = image.convert("RGB")
    return image if image.mode == MODES[channels] else image.convert(MODES[channels])


def _grey(
    values: np.ndarray[tuple[int, ...], np.dtype[np.floating]],
) -> Image.Image:
    return Image.fromarray(np.rint(values).clip(0, 255).astype(np.uint8))


def _too_large(n: int | None) -> str:
    size = "more" if n is None else f"{n / 1e6:.0f} million"
    return f"claims {size} pixels, above the {MAX_PIXELS / 1e6:.0f} million that are read"


def _reason(problem: OSError) -> str:
    if problem.strerror:
        return f"cannot be read: {problem.strerror}"
    text = str(problem)
    return "is cut short" if "truncated" in text else f"is damaged ({text})"
