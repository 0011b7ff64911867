"""Keeps on disk what was found in a folder of images, so that it is not read again.

Findings are kept for each file with its size and time of change; decoded pixels for a whole folder
and form, as long as they are among the most recent that fit a limit. All of it may be deleted at
any time, and a folder that cannot be written keeps nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from recede_worker.images.folders.examine import Finding, Form
from recede_worker.images.folders.tree import Entry

VERSION = 1
HIDDEN = ".recede"
PIXELS_LIMIT = 8 << 30
"""Bytes of decoded pixels kept below one data root; the least recently used are deleted first."""
FREE_FACTOR = 4  # pixels are kept only where so many times their size is free

Statistics = tuple[tuple[float, ...], tuple[float, ...]]


class FindingsCache:
    """What is kept about one folder below a data root (None: nothing is)."""

    def __init__(self, root: Path | None, folder: Path) -> None:
        name = hashlib.sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:16]
        self.base = root / HIDDEN if root is not None else None
        self.place = self.base / name if self.base is not None else None

    def findings(self, entries: Sequence[Entry]) -> dict[str, Finding]:
        """Those of files that did not change since they were decoded."""
        files = self._read("findings.json").get("files", {})
        known = {}
        with contextlib.suppress(TypeError, ValueError, KeyError, AttributeError):
            for entry in entries:
                size, mtime_ns, *found = files.get(entry.path, (None, None))
                if (size, mtime_ns) == (entry.size, entry.mtime_ns):
                    known[entry.path] = Finding(*found)
        return known

    def keep_findings(self, entries: Sequence[Entry], findings: Sequence[Finding]) -> None:
        """Those of all files that are there now; files that could not be opened are left out."""
        pairs = zip(entries, findings, strict=True)
        files = {
            entry.path: (entry.size, entry.mtime_ns, *found)
            for entry, found in pairs
            if "cannot be read" not in found.reason  # permissions change without a trace
        }
        self._write("findings.json", {"version": VERSION, "files": files})

    def statistics(self, key: str) -> Statistics | None:
        """Mean and deviation that were computed for this key."""
        kept = self._read(f"statistics-{key}.json")
        with contextlib.suppress(TypeError, ValueError, KeyError):
            return tuple(map(float, kept["mean"])), tuple(map(float, kept["std"]))
        return None

    def keep_statistics(self, key: str, statistics: Statistics) -> None:
        """Keep them for the next job."""
        mean, std = statistics
        self._write(f"statistics-{key}.json", {"version": VERSION, "mean": mean, "std": std})

    def pixels(self, key: str, shape: tuple[int, ...]) -> npt.NDArray[np.uint8] | None:
        """Decoded images of this key, if they are kept whole."""
        if self.place is None:
            return None
        path = self.place / f"pixels-{key}.npy"
        try:
            array = np.load(path, allow_pickle=False)
            os.utime(path)  # the most recently used go last
        except (OSError, ValueError, EOFError):
            return None
        return array if array.dtype == np.uint8 and array.shape == shape else None

    def keep_pixels(self, key: str, array: npt.NDArray[np.uint8]) -> None:
        """Keep them for the next job, if the disk has room for them."""
        if self.base is None or array.nbytes > PIXELS_LIMIT:
            return
        with contextlib.suppress(OSError):
            self.base.mkdir(parents=True, exist_ok=True)
            if shutil.disk_usage(self.base).free < FREE_FACTOR * array.nbytes:
                return
            with self._new(f"pixels-{key}.npy") as file:
                np.save(file, array, allow_pickle=False)
            self._delete_oldest()

    def _delete_oldest(self) -> None:
        assert self.base is not None
        kept = [(path.stat(), path) for path in self.base.glob("*/pixels-*.npy")]
        total = sum(status.st_size for status, _ in kept)
        for status, path in sorted(kept, key=lambda pair: pair[0].st_mtime_ns):
            if total <= PIXELS_LIMIT:
                break
            path.unlink(missing_ok=True)
            total -= status.st_size

    def _read(self, name: str) -> dict[str, Any]:
        if self.place is None:
            return {}
        try:
            content = json.loads((self.place / name).read_bytes())
        except (OSError, ValueError):
            return {}
        fits = isinstance(content, dict) and content.get("version") == VERSION
        return content if fits else {}

    def _write(self, name: str, content: dict[str, Any]) -> None:
        if self.place is None:
            return
        with contextlib.suppress(OSError), self._new(name) as file:
            file.write(json.dumps(content, separators=(",", ":")).encode())

    @contextlib.contextmanager
    def _new(self, name: str) -> Iterator[BinaryIO]:
        """A file that takes its name only when it is whole."""
        assert self.place is not None
        self.place.mkdir(parents=True, exist_ok=True)
        descriptor, path = tempfile.mkstemp(dir=self.place, prefix=".part-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
            Path(path).replace(self.place / name)
        finally:
            Path(path).unlink(missing_ok=True)


def key_of(entries: Sequence[Entry], form: Form) -> str:
    """Names exactly these files in this form."""
    digest = hashlib.sha256(repr(form).encode())
    for entry in entries:
        digest.update(os.fsencode(entry.path))
        digest.update(f"\0{entry.label},{entry.size},{entry.mtime_ns}\0".encode())
    return digest.hexdigest()[:32]
