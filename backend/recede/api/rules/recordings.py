"""What is sent of a training elsewhere, checked before it is kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recede.contract.errors import Conflict, InvalidInput
from recede.contract.network.shape import NetworkShape
from recede.contract.recorded.sent import FORMAT
from recede.contract.schemas import RecordingBody
from recede.contract.spec.run import RECORDED, RunSpec
from recede.store.tables.runs import RunRow

MAX_NEURONS = 200_000
"""Their scales fit into one request; the largest networks of timm have half as many."""


def spec_of(body: RecordingBody) -> RunSpec:
    """The spec of the run that shows it.

    Raises:
        InvalidInput: a newer Recede sends it, or its network contradicts itself.
    """
    if body.format > FORMAT:
        raise InvalidInput(
            f"format was {body.format}; this service takes up to {FORMAT}.",
            field="format",
            hint="Update the service, or record with the version of Recede that runs here.",
        )
    if body.network is not None:
        _check_network(body.network)
    return RunSpec(
        name=body.name,
        dataset=body.dataset,
        architecture=body.architecture,
        method=RECORDED,
        epochs=body.epochs or 0,
    )


def scales_of(given: bytes | None, shape: NetworkShape | None) -> npt.NDArray[np.float32] | None:
    """The raw scales of one epoch; raises InvalidInput unless there is one for each neuron."""
    wanted = 0 if shape is None else 4 * shape.n_neurons
    if len(given or b"") != wanted:
        raise InvalidInput(
            f"scales had {len(given or b'')} bytes; {wanted} are wanted, 4 for each prunable "
            "neuron of the network.",
            field="scales",
            hint="Send float32, little-endian, in network order, as Base64.",
        )
    return None if shape is None else np.frombuffer(given or b"", "<f4").astype(np.float32)


def check_trained_here(run: RunRow, wanted: str) -> None:
    """Raises Conflict for a run that only its own process can stop or start."""
    if RunSpec.model_validate(run.spec).recorded:
        raise Conflict(
            f"Run {run.id} is recorded elsewhere; it cannot be {wanted} from here.",
            hint="Do it where its training runs; what is recorded then is shown here.",
        )


def _check_network(shape: NetworkShape) -> None:
    sizes, n_groups = shape.sizes, len(shape.groups)
    places = [place for op in shape.ops for place in (op.source, op.target) if place is not None]
    places += [group for tensor in shape.tensors for _, group, _ in tensor.links]
    counts = [n for op in shape.ops for n in (op.fan_in, op.fan_out, op.kernel, op.positions)]
    fits = (
        n_groups > 0
        and min(sizes) > 0
        and sum(sizes) <= MAX_NEURONS
        and all(0 <= place < n_groups for place in places)
        and all(0 < n < 2**31 for n in counts)
        and len({group.name for group in shape.groups}) == n_groups
    )
    if not fits:
        raise InvalidInput(
            "network contradicts itself: its layers and groups do not fit together, or it has "
            f"more than {MAX_NEURONS} prunable neurons.",
            field="network",
            hint="Send the network as recede.watch records it.",
        )
