"""Who writes into a folder holds a lock, which the system takes back when the process ends.

The file of the lock says whether the writer measures a training that is over: that one does not
live.
"""

from __future__ import annotations

import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: nobody is kept out, and everybody counts as alive
    fcntl = None  # type: ignore[assignment]

NAME = ".writer"
_MEASURES = b"measures"


class Lock:
    """The lock of one folder, held until it is released or the process ends."""

    def __init__(self, folder: Path) -> None:
        self._descriptor: int | None = None
        self._path = folder / NAME

    def take(self, *, measures: bool = False) -> bool:
        """Take it, to train or to measure; False if another process writes into the folder."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _locked(descriptor):
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.write(descriptor, _MEASURES if measures else b"")
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give it back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_held(folder: Path) -> bool:
    """Whether a training records into the folder; True where that cannot be found out."""
    if fcntl is None:
        return True
    try:
        descriptor = os.open(folder / NAME, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:  # a folder that may only be read
        return True
    try:
        return not _locked(descriptor) and os.read(descriptor, len(_MEASURES)) != _MEASURES
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
