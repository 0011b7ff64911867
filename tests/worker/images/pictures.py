"""Folders of images as people have them, whole and broken, made by Pillow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def picture(path: Path, size=(20, 16), mode="RGB", seed=0, **save) -> Path:
    """One image of random pixels; the ending says the format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    width, height = size
    pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    if mode in ("I;16", "I"):
        kind = np.uint16 if mode == "I;16" else np.int32
        image = Image.fromarray(pixels[..., 0].astype(kind) * 257)
    else:
        image = Image.fromarray(pixels).convert(mode)
    image.save(path, **save)
    return path


def class_folder(root: Path, n: int = 4, classes=("cat", "dog"), parts=("train",), **how) -> Path:
    """n PNG files a class in each part."""
    seed = 0
    for part in parts:
        for name in classes:
            for number in range(n):
                seed += 1
                picture(root / part / name / f"{number}.png", seed=seed, **how)
    return root
