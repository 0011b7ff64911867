"""Files with weights to start from: where they may lie, and what is wrong with one at a glance.

Both sides look: the web side before anything is queued, the worker before it reads. Nothing
is loaded here; of a safetensors file the header is read, which is JSON.
"""

from __future__ import annotations

import json
import os
import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recede.contract.errors import InvalidInput

SAFETENSORS = ".safetensors"
ENDINGS = (SAFETENSORS, ".pt", ".pth", ".pth.tar", ".bin", ".ckpt")
MAX_BYTES = 8 * 2**30
"""The largest networks in torchvision and timm with batch norm have under 2 GiB."""
_MAX_HEADER = 100 * 2**20  # what the safetensors library takes
_FIELD = "init.file"


class UnusableWeights(InvalidInput):
    """A file that cannot be read as weights: gone, outside the data roots, damaged, no tensors."""

    code = "unusable_weights"


def find(roots: Sequence[Path], given: str, field: str = _FIELD) -> Path:
    """The file, links resolved: `given` is below one of the roots, or absolute and under one.

    Raises:
        UnusableWeights: it is not there, or a link or `..` leads out of the roots.
    """
    real = [_resolved(root) for root in roots]
    outside = False
    for candidate in [root / given for root in roots]:  # an absolute path replaces the root
        path = _resolved(candidate)
        if not any(path is not None and root and path.is_relative_to(root) for root in real):
            outside = True
        elif path is not None and _exists(path):
            return path
    if outside:
        raise UnusableWeights(
            f"{given!r} is outside the data roots; only files under them can be read.",
            field=field,
            hint="Put the file into the data folder's datasets/, or name its folder in "
            "RECEDE_DATA_ROOTS and restart.",
        )
    raise UnusableWeights(
        f"There is no file {given!r} under the data roots.",
        field=field,
        hint="Give its path below the data folder's datasets/ or below a folder that "
        "RECEDE_DATA_ROOTS names; these are on the worker's machine.",
    )


def check(path: Path) -> None:
    """Look at ending, kind, size and frame of a file, without reading its tensors.

    Raises:
        UnusableWeights: what is wrong with it.
    """
    if not path.name.lower().endswith(ENDINGS):
        raise _unusable(path, f"has no known ending; known are {', '.join(ENDINGS)}")
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise _unusable(path, "is not a file")
        if not os.access(path, os.R_OK):
            raise _unusable(path, "may not be read", "Fix its permissions.")
        if not 0 < found.st_size <= MAX_BYTES:
            raise _unusable(path, f"has {found.st_size} bytes; at most {MAX_BYTES} are read")
        if path.name.lower().endswith(SAFETENSORS):
            _check_safetensors(path, found.st_size)
        else:
            _check_archive(path)
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror or error}") from error


def _check_safetensors(path: Path, size: int) -> None:
    """The header must be JSON and its tensors must fill the rest of the file."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= min(_MAX_HEADER, size - 8):
            raise _unusable(path, "is not a safetensors file, or was cut off within its header")
        text = stream.read(length)
    try:
        ends = [_end_of(entry) for name, entry in json.loads(text).items() if name[:2] != "__"]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        raise _unusable(path, "is not a safetensors file: its header is not understood") from None
    if not ends:
        raise _unusable(path, "holds no tensors")
    wanted = 8 + length + max(ends)
    if size != wanted:
        raise _unusable(path, f"has {size} bytes; its header says {wanted}")


def _end_of(entry: dict[str, Any]) -> int:
    """Where the bytes of one tensor end, counted from the end of the header."""
    return int(entry["data_offsets"][1])


def _check_archive(path: Path) -> None:
    """torch.save writes a ZIP archive, whose directory comes last: a cut-off one has none."""
    with path.open("rb") as stream:
        begins_as_zip = stream.read(4) == b"PK\x03\x04"
    if begins_as_zip and not zipfile.is_zipfile(path):
        raise _unusable(path, "is damaged: the end of the archive is missing")


def _unusable(path: Path, what: str, hint: str = "Save or copy it again.") -> UnusableWeights:
    return UnusableWeights(f"{path.name!r} {what}.", field=_FIELD, hint=hint)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder that may not be entered, or a name that is too long
        return False


def _resolved(path: Path) -> Path | None:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a loop of links, or a name that is too long
        return None
