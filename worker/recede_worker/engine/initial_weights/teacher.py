"""The dense network that a fine-tuning learns from: kept in the run's own folder.

It is copied when the run takes over its weights, so that a training that is resumed, and each
process of one that several share, finds it though the other run was deleted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from recede.contract.errors import StorageProblem
from recede.contract.spec.run import RunSpec
from recede_worker.core.state_dict import load_weights
from recede_worker.engine.checkpoints.atomic_files import described
from recede_worker.engine.inputs.load import network_for

_WEIGHTS = "teacher.safetensors"
_RECORD = "teacher.json"


@dataclass(frozen=True)
class Dense:
    """A network before it is cut: what builds it, and its plain state_dict."""

    spec: RunSpec
    widths: dict[str, int] | None
    """Neurons of each prunable layer, or None for those of the spec's own network."""
    input_shape: tuple[int, int, int]
    classes: int
    weights: Mapping[str, Tensor]


def keep_teacher(folder: Path, dense: Dense) -> None:
    """Write the network into a folder."""
    tensors = {name: tensor.contiguous() for name, tensor in dense.weights.items()}
    save_file(tensors, folder / _WEIGHTS)
    record: dict[str, Any] = {
        "spec": dense.spec.model_dump(mode="json"),
        "widths": dense.widths,
        "input_shape": dense.input_shape,
        "classes": dense.classes,
        "sha256": described(folder / _WEIGHTS, folder).sha256,
    }
    (folder / _RECORD).write_text(json.dumps(record))


def load_teacher(folder: Path, own_networks: tuple[Path, ...]) -> nn.Module:
    """The network that was kept there, in evaluation mode, on the CPU.

    Raises:
        StorageProblem: it is gone or was altered.
    """
    try:
        record = json.loads((folder / _RECORD).read_text())
        intact = described(folder / _WEIGHTS, folder).sha256 == record["sha256"]
    except (OSError, ValueError) as error:
        raise _damaged() from error
    if not intact:
        raise _damaged()
    network = network_for(
        RunSpec.model_validate(record["spec"]),
        tuple(record["input_shape"]),
        record["classes"],
        record["widths"],
        own_networks=own_networks,
    )
    model = network.architecture.build(network.config)
    load_weights(model, load_file(folder / _WEIGHTS))
    return model.eval().requires_grad_(requires_grad=False)


def _damaged() -> StorageProblem:
    return StorageProblem(
        "The copy of the dense network that this run learns from is gone or altered.",
        hint="Start it again as a new run.",
    )
