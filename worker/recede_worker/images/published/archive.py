"""Fetches and unpacks a published archive, and checks files against their published sums."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from recede_worker.images.dataset import Progress, UnreadableData
from recede_worker.images.published.download import fetch, writable_folder


@dataclass(frozen=True)
class Archive:
    """One tar file with a single folder in it."""

    url: str
    md5: str
    folder: str
    leave_out: tuple[str, ...] = ()
    """Names of files in it that are not used."""

    @property
    def name(self) -> str:
        """File name of the archive."""
        return self.url.rpartition("/")[2]


def fetch_unpacked(
    archive: Archive, root: Path, complete: Callable[[Path], bool], progress: Progress
) -> Path:
    """Fetch and unpack beside the final place, so that a half-done folder never stands there.

    Returns the folder below `root`. An incomplete one is moved out of the way; one that
    another process completed meanwhile stays.

    Raises:
        DownloadFailed: the archive could not be fetched whole.
        StorageProblem: the root cannot be written or the disk is full.
    """
    writable_folder(root)
    target = root / archive.folder
    with tempfile.TemporaryDirectory(dir=root, prefix=".download-") as scratch:
        packed = Path(scratch) / archive.name
        fetch(archive.url, packed, archive.md5, progress)
        try:
            with tarfile.open(packed) as tar:
                tar.extractall(scratch, _members(tar, archive, progress), filter="data")
            if complete(target):
                return target
            if target.exists():  # an incomplete copy: keep it out of the way, delete nothing
                target.rename(Path(tempfile.mkdtemp(dir=root, prefix="incomplete-")) / target.name)
            (Path(scratch) / archive.folder).rename(target)
        except (OSError, tarfile.TarError) as problem:
            raise UnreadableData(
                f"Cannot unpack {archive.name} in {root}: {problem}.",
                hint="Check the free space of the disk and try again.",
            ) from problem
    return target


def _members(
    tar: tarfile.TarFile, archive: Archive, progress: Progress
) -> Iterator[tarfile.TarInfo]:
    """Members to unpack; `progress` is called before each and may raise."""
    for done, member in enumerate(tar):
        progress(done, 0, f"Unpacking {archive.name}", "files")
        if Path(member.name).name not in archive.leave_out:
            yield member


def verify(folder: Path, sums: Iterable[tuple[str, str]]) -> None:
    """Check files of a folder against (name, MD5); raises UnreadableData for the first bad one."""
    from torchvision.datasets.utils import check_integrity  # noqa: PLC0415 - slow to import

    for name, md5 in sums:
        path = folder / name
        try:
            intact = check_integrity(path, md5)
        except OSError as problem:
            raise UnreadableData(
                f"Cannot read {path}: {problem.strerror or problem}."
            ) from problem
        if not intact:
            raise UnreadableData(
                f"{path} is damaged or cut short: its MD5 sum is not the published one.",
                hint=f"Delete {folder} and start again to fetch a fresh copy.",
            )
