"""The file of published weights: below a data root, in a library's cache, or downloaded.

Nothing is fetched unless a run asks for these weights by their tag.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import torch

from recede.contract.spec.published import FIELD
from recede_worker.images.dataset import Progress
from recede_worker.images.published.download import DownloadFailed, fetch, writable_folder
from recede_worker.networks.published import Published

FOLDER = "pretrained"
"""Below a data root: what was downloaded, and what somebody put there."""
HUB_FILES = ("model.safetensors", "pytorch_model.bin")
"""Names of weights in a repository of the hub, in the order in which they are looked for."""
HUB = "huggingface_hub"


def file_of(found: Published, roots: Sequence[Path], progress: Progress) -> Path:
    """The file, fetched into the first root if it is nowhere.

    Raises:
        DownloadFailed: it could not be fetched; the hint says where to put it by hand.
        StorageProblem: the first root cannot be written.
    """
    here = [root / FOLDER / found.file for root in roots]
    if found.url is not None:
        here.append(Path(torch.hub.get_dir()) / "checkpoints" / found.file)
    for path in here:
        if path.is_file():
            return path
    try:
        if found.url is not None:
            checksum = torch.hub.HASH_REGEX.search(found.file)
            fetch(found.url, here[0], checksum[1] if checksum else "", progress, "sha256")
            return here[0]
        return _of_hub(str(found.repository), roots[0] / FOLDER / "hub", progress)
    except DownloadFailed as error:
        raise DownloadFailed(
            f"{error.message} Published weights are downloaded from {found.origin}.",
            field=FIELD,
            hint=f"Check the network connection of the worker, or fetch the file where there is "
            f"one and put it there as {here[0]}, then start the run again.",
        ) from error


def _of_hub(repository: str, cache: Path, progress: Progress) -> Path:
    """The file from our cache or that of the hub's library, or fetched into ours."""
    hub, errors = (importlib.import_module(name) for name in (HUB, f"{HUB}.errors"))
    name, _, revision = repository.partition("@")
    for file, known in product(HUB_FILES, (cache, None)):
        kept = hub.try_to_load_from_cache(name, file, known, revision or None)
        if isinstance(kept, str):
            return Path(kept)
    writable_folder(cache)
    takes_bar = "tqdm_class" in inspect.signature(hub.hf_hub_download).parameters
    shown = {"tqdm_class": _bar(name, progress)} if takes_bar else {}  # older ones take none
    for file in HUB_FILES:
        try:
            fetched = hub.hf_hub_download(
                name,
                file,
                revision=revision or None,
                cache_dir=cache,
                **shown,
            )
            return Path(fetched)
        except errors.LocalEntryNotFoundError as error:  # not reached, and not kept either
            raise _failed(name, error) from error
        except errors.EntryNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise _failed(name, error) from error
    raise DownloadFailed(f"{name} has none of {', '.join(HUB_FILES)}.")


def _failed(name: str, error: Exception) -> DownloadFailed:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return DownloadFailed(f"Cannot download {name}: {reason}")


def _bar(name: str, progress: Progress) -> Any:
    """What the hub's library takes for the class of a progress bar: it reports, and draws none."""

    def made(*_: Any, initial: int = 0, total: int | None = None, **__: Any) -> _Bar:
        return _Bar(name, progress, initial, total)

    return made


@dataclass
class _Bar:
    """The part of tqdm that the hub's library uses."""

    name: str
    progress: Progress
    n: int
    total: int | None

    def update(self, n: float | None = 1) -> None:
        """So many bytes more; it raises where the job is to stop."""
        self.n += int(n or 0)
        self.progress(self.n, int(self.total or 0), f"Downloading {self.name}")

    @property
    def format_dict(self) -> dict[str, Any]:
        """Nothing is known of its speed."""
        return {}

    def refresh(self, *_: Any, **__: Any) -> None:
        """Nothing is drawn."""

    set_description = set_postfix_str = refresh

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
