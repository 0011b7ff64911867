"""Fetches one file whole or not at all: temporary name, checksum, rename."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO, Literal
from urllib.request import Request, urlopen

from recede.contract.errors import StorageProblem, Unavailable
from recede_worker.images.dataset import Progress

CHUNK_BYTES = 1 << 20
TIMEOUT_S = 30.0
Algorithm = Literal["md5", "sha256"]
ATTEMPTS = 4  # of one file, as long as each brings something


class DownloadFailed(Unavailable):
    """A file that could not be fetched; nothing half done is left behind."""

    code = "download_failed"


def fetch(
    url: str, target: Path, checksum: str, progress: Progress, algorithm: Algorithm = "md5"
) -> None:
    """Download `url` to `target`, which appears only once its checksum is right.

    `checksum` is the hexadecimal digest or its beginning; an empty one fits any file.

    Raises:
        DownloadFailed: no connection, an interrupted transfer or a wrong checksum.
        StorageProblem: the folder cannot be written or the disk is full.
    """
    folder = writable_folder(target.parent)
    part = folder / f".{target.name}.{os.getpid()}.part"
    try:
        with part.open("wb") as file:
            digest = _transfer(url, _Received(file, algorithm), target.name, progress)
        if not digest.startswith(checksum):
            raise DownloadFailed(
                f"{url} came with checksum {digest}, not {checksum}; the file was deleted.",
                hint="Try again; if it happens again, the server has a different file.",
            )
        part.replace(target)
    except OSError as problem:
        raise _cannot_write(folder, problem) from problem
    finally:
        part.unlink(missing_ok=True)


def writable_folder(folder: Path) -> Path:
    """The folder, made if needed; raises StorageProblem if it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise _cannot_write(folder, problem) from problem
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _cannot_write(folder, PermissionError("permission denied"))
    return folder


def can_download(roots: Sequence[Path]) -> bool:
    """True if the first root, or the folder that it would be made in, can be written."""
    if not roots:
        return False
    try:
        nearest = next(p for p in (roots[0], *roots[0].absolute().parents) if p.exists())
        return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    except OSError:  # a folder on the way that may not be searched
        return False


@dataclass
class _Received:
    """What arrived so far, on disk and in the checksum."""

    file: BinaryIO
    algorithm: Algorithm
    digest: Any = field(init=False)
    n_bytes: int = 0

    def __post_init__(self) -> None:
        self.digest = hashlib.new(self.algorithm, usedforsecurity=False)

    def add(self, chunk: bytes) -> None:
        _write(self.file, chunk)
        self.digest.update(chunk)
        self.n_bytes += len(chunk)

    def restart(self) -> None:
        self.file.seek(0)
        self.file.truncate()
        self.digest, self.n_bytes = hashlib.new(self.algorithm, usedforsecurity=False), 0


def _transfer(url: str, received: _Received, name: str, progress: Progress) -> str:
    """The checksum; a connection that breaks is taken up again where it broke."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _receive(url, received, name, progress)
            break
        except (OSError, EOFError, HTTPException) as problem:
            if attempt < ATTEMPTS and received.n_bytes:
                continue
            raise DownloadFailed(
                f"Cannot download {url}: {problem}.",
                hint="Check the network connection, or put the files into the data folder "
                "yourself.",
            ) from problem
    return str(received.digest.hexdigest())


def _receive(url: str, received: _Received, name: str, progress: Progress) -> None:
    start = received.n_bytes
    headers = {"Range": f"bytes={start}-"} if start else {}
    request = Request(url, headers=headers)  # noqa: S310 - constants of libraries
    with urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310 - the same
        if start and getattr(response, "status", None) != HTTPStatus.PARTIAL_CONTENT:
            received.restart()  # a server without ranges starts again
        rest = int(response.headers.get("Content-Length") or 0)
        total = received.n_bytes + rest if rest else 0
        while chunk := response.read(CHUNK_BYTES):
            received.add(chunk)
            progress(received.n_bytes, total, f"Downloading {name}")
    if received.n_bytes < total:
        raise EOFError(f"the connection ended after {received.n_bytes} of {total} bytes")


def _write(file: BinaryIO, chunk: bytes) -> None:
    try:
        file.write(chunk)
    except OSError as problem:
        raise _cannot_write(Path(file.name).parent, problem) from problem


def _cannot_write(folder: Path, problem: OSError) -> StorageProblem:
    return StorageProblem(
        f"Cannot write to {folder}: {problem.strerror or problem}.",
        hint="Choose a data folder that this user may write, with free space.",
    )
