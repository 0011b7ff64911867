"""Files of checkpoints, written and verified by their SHA-256."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import httpx

from recede.client.endpoints.errors import ApiError

_CHUNK_BYTES = 1 << 20
_SLASHES = tuple(filter(None, (os.sep, os.altsep)))


def target_path(given: Path | str) -> Path:
    """The file or folder that is meant; text that ends with a slash is a folder, which is made."""
    path = Path(given)
    if isinstance(given, str) and given.endswith(_SLASHES):
        path.mkdir(parents=True, exist_ok=True)
    return path


def save(
    response: httpx.Response, target: Path, on_progress: Callable[[int], None] | None
) -> Path:
    """Write a streamed file; nothing is left at the target unless its hash is right."""
    disposition = response.headers.get("Content-Disposition", "")
    name = disposition.partition('filename="')[2].rstrip('"')
    path = target / Path(name or "checkpoint").name if target.is_dir() else target
    partial = path.with_name(path.name + ".part")
    digest = hashlib.sha256()
    with partial.open("wb") as file:
        for chunk in response.iter_bytes(_CHUNK_BYTES):
            digest.update(chunk)
            file.write(chunk)
            if on_progress is not None:
                on_progress(len(chunk))
    wanted = response.headers["ETag"].strip('"')
    if digest.hexdigest() != wanted:
        partial.unlink()
        raise ApiError(
            f"{path.name} arrived with SHA-256 {digest.hexdigest()}, wanted {wanted}.",
            status=response.status_code,
            code="damaged",
            hint="Download it again; if that does not help, prune again.",
        )
    return partial.replace(path)
