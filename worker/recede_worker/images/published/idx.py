"""Reads the IDX files of MNIST-like data sets and reports what is wrong with one."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from recede_worker.images.dataset import UnreadableData

GZIP_MAGIC = b"\x1f\x8b"
UNSIGNED_BYTE = 8  # the only element type that these data sets use


def read_idx(path: Path) -> Tensor:
    """The uint8 array of an IDX file, plain or gzip-compressed.

    Raises:
        UnreadableData: the file is missing, forbidden, truncated or not an IDX file.
    """
    data = _read(path)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != UNSIGNED_BYTE:
        raise UnreadableData(f"{path} is not an IDX file of bytes.", hint=_hint(path))
    header = 4 + 4 * data[3]
    if len(data) < header:
        raise UnreadableData(f"{path} ends inside its header.", hint=_hint(path))
    shape = np.frombuffer(data, ">u4", count=data[3], offset=4).astype(np.int64).tolist()
    wanted = header + math.prod(shape)
    if len(data) != wanted:
        raise UnreadableData(
            f"{path} has {len(data)} bytes where its header promises {wanted}.", hint=_hint(path)
        )
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=header).reshape(shape).copy())


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise UnreadableData(
            f"Cannot read {path}: {problem.strerror or problem}.",
            hint="Check that the file exists and that this user may read it.",
        ) from problem
    if not data.startswith(GZIP_MAGIC):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as problem:
        raise UnreadableData(
            f"{path} is damaged or cut short: {problem}.", hint=_hint(path)
        ) from problem


def _hint(path: Path) -> str:
    return f"Delete {path} and start again to fetch a fresh copy, or reinstall its package."
