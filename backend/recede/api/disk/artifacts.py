"""Files of the artifacts folder, as they were recorded."""

from __future__ import annotations

from pathlib import Path

from recede.contract.errors import NotFound, StorageProblem


def stored_file(artifacts: Path, relative: str, size_bytes: int) -> Path:
    """A file of the artifacts folder, there and whole.

    Raises:
        NotFound: it is gone from disk.
        StorageProblem: its size is not the recorded one, or it lies outside the folder.
    """
    path = (artifacts / relative).resolve()
    if not path.is_relative_to(artifacts.resolve()):
        raise StorageProblem(f"The recorded path {relative!r} leaves the artifacts folder.")
    if not path.is_file():
        raise NotFound(
            f"The file {relative} is missing from the artifacts folder.",
            hint="It was removed outside Recede; prune or train again to recreate it.",
        )
    size = path.stat().st_size
    if size != size_bytes:
        raise StorageProblem(
            f"The file {relative} has {size} bytes on disk, but {size_bytes} were written.",
            hint="It is damaged; prune or train again to recreate it.",
        )
    return path
