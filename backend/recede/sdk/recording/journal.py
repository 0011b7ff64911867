"""Appends to a recording so that a crash at any moment leaves whole lines and whole files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from recede.contract.errors import Conflict
from recede.sdk.recording.lines import LINES, Line
from recede.sdk.recording.lock import Lock


class Journal:
    """The one writer of a folder; raises OSError where the disk is full or not writable."""

    def __init__(self, folder: Path, *, measures: bool = False) -> None:
        """Open the folder, which is made, for writing.

        Args:
            measures: the training is over, and cuts of it are measured.

        Raises:
            Conflict: another process writes into it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lock = Lock(folder)
        if not self._lock.take(measures=measures):
            raise Conflict(
                f"Another process records into {folder}.",
                hint="Give each training its own folder.",
            )
        self._file = os.open(folder / LINES, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._cut_torn_line()

    def close(self) -> None:
        """Let another process go on."""
        os.close(self._file)
        self._lock.release()

    def append(self, line: Line) -> None:
        """Write one line and force it to disk; it is there wholly or not at all."""
        text = line.model_dump_json(exclude_none=True).encode() + b"\n"
        end = os.fstat(self._file).st_size
        try:
            written = os.write(self._file, text)
            if written != len(text):
                raise OSError(28, f"only {written} of {len(text)} bytes fitted on the disk")
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, end)
            raise

    def put(self, name: str, write: Callable[[Path], None]) -> None:
        """Let `write` fill a temporary file, then put it in place under this name."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp")
        try:
            write(temporary)
            _sync(temporary)
            temporary.replace(path)
            _sync(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def remove(self, name: str) -> None:
        """Remove a file of the recording."""
        (self.folder / name).unlink(missing_ok=True)

    def _cut_torn_line(self) -> None:
        """A process that was killed may have left the beginning of a line."""
        text = (self.folder / LINES).read_bytes()
        whole = text.rfind(b"\n") + 1
        if whole != len(text):
            os.ftruncate(self._file, whole)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
