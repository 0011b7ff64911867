"""Weights that the network's library publishes, as entries of today's network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from recede_worker.engine.initial_weights.published_file import file_of
from recede_worker.engine.initial_weights.state_dict_file import read_weight_file
from recede_worker.engine.inputs.load import Network
from recede_worker.engine.job.handle import JobHandle

Read = tuple[Mapping[str, Tensor], dict[str, Any], tuple[str, ...] | None]


def published_weights(job: JobHandle, roots: Sequence[Path], network: Network, tag: str) -> Read:
    """The weights, what is recorded of them, and the names of their outputs if those are known.

    Raises:
        UnknownName: the library has none of that tag.
        DownloadFailed, StorageProblem: they are not there and could not be fetched.
        UnusableWeights, InvalidInput: the file is damaged or holds more than tensors.
    """
    architecture, config = network.architecture, network.config
    found = architecture.published(config, tag)
    licence = found.licence or "none stated by the library"
    job.log(f"published weights {tag}: {found.origin}; licence: {licence}")

    def report(done: int, total: int, message: str, unit: str = "bytes") -> None:
        job.check()
        job.progress("loading", done, total, unit, message=f"{message} (licence: {licence})")

    path = file_of(found, roots, report)
    job.log(f"reading {path}")
    read = read_weight_file(path)
    record = {
        "kind": "pretrained",
        "tag": tag,
        "from": found.origin,
        "licence": found.licence,
        "file": path.name,
        "sha256": read.sha256,
    }
    return architecture.adapted(config, tag, path, read.weights), record, found.outputs
