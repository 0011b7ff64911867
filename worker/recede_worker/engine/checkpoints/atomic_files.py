"""Writing files so that a crash leaves either the old one or the new one, never half of it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from recede.contract.errors import StorageProblem
from recede.store.results.evaluations import StoredFile


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file, force it to disk, then put it in place.

    Raises:
        StorageProblem: the disk is full or the folder not writable; the old file stays.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        write(temporary)
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _problem(path, error) from error


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder to fill; it takes its place, whole and on disk, at the end.

    Raises:
        StorageProblem: the disk is full or the folder not writable; nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        for file in sorted(temporary.iterdir()):
            _sync(file)
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise _problem(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def described(file: Path, artifacts: Path) -> StoredFile:
    """Path below the artifacts folder, size and SHA-256 of a file."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return StoredFile(file.relative_to(artifacts).as_posix(), file.stat().st_size, digest)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _problem(path: Path, error: OSError) -> StorageProblem:
    return StorageProblem(
        f"{path.name} could not be written: {error.strerror or error}.",
        hint=f"Free some space or fix the permissions of {path.parent}, then resume the run.",
    )
