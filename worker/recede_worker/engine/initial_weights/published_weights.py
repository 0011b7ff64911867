"""Weights that the network's library publishes, fetched or in a file, as entries of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from recede.contract.errors import InvalidInput
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


def file_weights(
    job: JobHandle, path: Path, network: Network, tag: str | None, classes: int
) -> Read:
    """Weights in a file; where its name is that of published ones, and they are, as those.

    `tag` is what the name says. Then the outputs have names too, unless the data set has as many
    classes as there are: they are in the order of the weights, as of any other file.

    Raises:
        UnusableWeights: the file is damaged or holds more than tensors.
    """
    read = read_weight_file(path)
    record: dict[str, Any] = {"kind": "file", "file": path.name, "sha256": read.sha256}
    plain = read.weights, record, None
    if tag is None:
        return plain
    found = network.architecture.published(network.config, tag)
    checksum = torch.hub.HASH_REGEX.search(path.name)
    if checksum is not None and not read.sha256.startswith(checksum[1]):
        job.log(f"{path.name} has the name of the published weights {tag}, and another SHA-256")
        return plain
    try:
        weights = network.architecture.adapted(network.config, tag, path, read.weights)
    except InvalidInput as error:
        job.log(f"{path.name} only has the name of the published weights {tag}: {error.message}")
        return plain
    job.log(f"{path.name} is taken for the published weights {tag}; {found.origin}")
    outputs = found.outputs
    record |= {"tag": tag, "from": found.origin, "licence": found.licence}
    return weights, record, None if outputs is None or len(outputs) == classes else outputs
