"""Opens what is to be verified: a ZIP, a folder, or one file beside its manifest.

Nothing is trusted: names may not leave the folder, sizes are counted while reading, and a
pickle is never opened. A ZIP is unpacked into a folder that is gone afterwards.
"""

from __future__ import annotations

import json
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from recede.contract.errors import InvalidInput
from recede_worker.engine.checkpoints.atomic_files import described

MAX_FILES = 64
MAX_BYTES = 8 * 2**30
"""Of all files together, unpacked."""
MAX_MANIFEST = 64 * 2**20
MAX_RATIO = 100
"""A file that is packed smaller than by this factor is a bomb: weights hardly shrink."""
PICKLES = (".pt", ".pth", ".pth.tar", ".bin", ".ckpt", ".pkl", ".pickle", ".joblib")
MANIFEST = "manifest.json"
FORMAT = "recede/1"


class Unverifiable(InvalidInput):
    """What was given cannot be verified: no manifest, not a ZIP, unsafe or damaged."""

    code = "unverifiable"


@dataclass(frozen=True)
class Archive:
    """A manifest and the files that it lists, as far as they are there."""

    manifest: dict[str, Any]
    files: dict[str, Path]
    """Name in the manifest → where the file is; one that was renamed is known by its bytes."""
    wrong: dict[str, str]
    """Name → what is wrong with the file that is there."""
    missing: list[str]


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """The files that belong together.

    Raises:
        Unverifiable: they cannot be used; nothing is left on the disk.
    """
    if not path.exists():
        raise Unverifiable(f"There is no {path}.", hint="Name a ZIP, a folder or one file in it.")
    if path.is_dir():
        yield _read(path, _manifest_in(path), is_whole=False)
    elif path.name.lower().endswith(PICKLES):
        raise _pickle(path)
    elif path.name.lower().endswith(".zip"):
        with tempfile.TemporaryDirectory(prefix="recede-") as folder:
            _unpack(path, Path(folder))
            yield _read(Path(folder), Path(folder) / MANIFEST, is_whole=True)
    elif path.is_file():
        found = _read(path.parent, _manifest_in(path.parent, path), is_whole=False)
        if path not in found.files.values() and path.name not in (*found.wrong, MANIFEST):
            raise Unverifiable(
                f"{path.name!r} is none of the files of the manifest beside it.",
                hint="It was altered and renamed, or belongs to another checkpoint.",
            )
        yield found
    else:
        raise Unverifiable(f"{path} is not a file.", hint="Name a ZIP, a folder or a file.")


def _manifest_in(folder: Path, beside: Path | None = None) -> Path:
    """The manifest of a folder, under its own name or as it was downloaded."""
    named = folder / MANIFEST
    if named.is_file():
        return named
    others = [p for p in sorted(folder.glob("*.json")) if p.is_file() and _is_manifest(p)]
    if beside is not None and len(others) > 1:
        same = beside.name.partition(".")[0].replace("_", "-")
        others = [p for p in others if p.stem.replace("_", "-") == same]
    if len(others) == 1:
        return others[0]
    what = "no manifest" if not others else f"{len(others)} manifests"
    raise Unverifiable(
        f"There is {what} in {folder}.",
        hint="Download the manifest into the same folder, or the ZIP of all files.",
    )


def _is_manifest(path: Path) -> bool:
    try:
        return path.stat().st_size <= MAX_MANIFEST and FORMAT in path.read_text()
    except (OSError, ValueError):
        return False


def _read(folder: Path, path: Path, *, is_whole: bool) -> Archive:
    manifest = _parsed(path)
    listed = manifest["files"]
    files, wrong, missing = {}, {}, []
    for name, entry in listed.items():
        found = _named(folder, name) or _by_bytes(folder, entry)
        if found is None:
            missing.append(name)
            continue
        seen = described(found, folder)
        if seen.size_bytes != entry["size_bytes"]:
            wrong[name] = f"has {seen.size_bytes} bytes, not {entry['size_bytes']}: cut off"
        elif seen.sha256 != entry["sha256"]:
            wrong[name] = f"SHA-256 is {seen.sha256}, not {entry['sha256']}: altered"
        else:
            files[name] = found
    if is_whole:
        wrong |= dict.fromkeys(missing, "is missing from the ZIP")
    return Archive(manifest, files, wrong, missing)


def _parsed(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise Unverifiable("There is no manifest.json in it.", hint="Download it again.")
    try:
        if path.stat().st_size > MAX_MANIFEST:
            raise ValueError("it is too large")
        found = json.loads(path.read_text())
        if found["format"] != FORMAT:
            raise ValueError(f"its format is {found['format']!r}, not {FORMAT!r}")
        for name, entry in found["files"].items():
            if PurePosixPath(name).name != name or "\\" in name or name.startswith("."):
                raise ValueError(f"{name!r} is not a plain file name")
            if not isinstance(entry["size_bytes"], int) or not isinstance(entry["sha256"], str):
                raise TypeError("a size or SHA-256 has the wrong type")
        if not found["files"]:
            raise ValueError("it lists no file")
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Unverifiable(
            f"{path.name} is not a manifest of Recede: {error}.", hint="Download it again."
        ) from error
    manifest: dict[str, Any] = found
    return manifest


def _named(folder: Path, name: str) -> Path | None:
    path = folder / name
    return path if path.is_file() and not path.is_symlink() else None


def _by_bytes(folder: Path, entry: dict[str, Any]) -> Path | None:
    """A file of that size and sum under another name, as downloads have."""
    for path in sorted(folder.iterdir()):
        same_size = path.is_file() and path.stat().st_size == entry["size_bytes"]
        if same_size and described(path, folder).sha256 == entry["sha256"]:
            return path
    return None


def _unpack(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            entries = packed.infolist()
            _check_entries(path, entries)
            for entry in entries:
                _copy(packed, entry, folder / entry.filename)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise Unverifiable(
            f"{path.name!r} is not a ZIP, or was cut off or altered: {error}.",
            hint="Download it again.",
        ) from error


def _check_entries(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.filename for entry in entries]
    if any(name.endswith("data.pkl") or name.lower().endswith(PICKLES) for name in names):
        raise _pickle(path)
    problems = []
    if len(entries) > MAX_FILES:
        problems.append(f"holds {len(entries)} files; at most {MAX_FILES} are unpacked")
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        problems.append(f"unpacks to more than {MAX_BYTES} bytes")
    if len(set(names)) != len(names):
        problems.append("holds two files of one name")
    problems += [problem for entry in entries for problem in _entry_problems(entry)]
    if problems:
        raise Unverifiable(
            f"{path.name!r} {problems[0]}.",
            hint="Nothing was unpacked. Recede does not write such ZIPs: do not use it.",
        )


def _entry_problems(entry: zipfile.ZipInfo) -> Iterator[str]:
    name = entry.filename
    if PurePosixPath(name).name != name or "\\" in name or ":" in name or name[:1] == ".":
        yield f"holds {name!r}, which would lie outside of its folder"
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        yield f"holds {name!r}, which is a link or no file"
    if entry.file_size > MAX_RATIO * max(1, entry.compress_size) + 2**20:
        yield f"holds {name!r}, which unpacks to {entry.file_size} bytes: a bomb"
    if entry.flag_bits & 1:
        yield f"holds {name!r}, which is encrypted"


def _copy(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    """Unpack one file, no byte more than it says."""
    left = entry.file_size
    with packed.open(entry) as source, target.open("wb") as out:
        while chunk := source.read(1 << 20):
            left -= len(chunk)
            if left < 0:
                raise zipfile.BadZipFile(f"{entry.filename} is larger than it says")
            out.write(chunk)


def _pickle(path: Path) -> Unverifiable:
    return Unverifiable(
        f"{path.name!r} is a pickle: loading it could run code, so it is not opened.",
        hint="Verify the ZIP, the folder or the .safetensors file that Recede wrote.",
    )
