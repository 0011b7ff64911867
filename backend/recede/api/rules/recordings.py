"""What is sent of a training elsewhere, checked before it is kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from recede.contract.cut.selection import select
from recede.contract.errors import Conflict, InvalidInput
from recede.contract.measuring.accuracy import lossless_ratio
from recede.contract.network.cost import cost
from recede.contract.network.shape import NetworkShape
from recede.contract.recorded.sent import FORMAT
from recede.contract.schemas import RecordedCut, RecordingBody
from recede.contract.spec.run import IMPORTANCE, RECORDED, Plan, RunSpec
from recede.store.experiments import history, runs
from recede.store.experiments import recordings as stored
from recede.store.results import curves
from recede.store.results.curves import Place
from recede.store.tables.runs import RecordingRow, RunRow

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


def keep_cuts(
    session: Session, row: RecordingRow, epoch: int, cuts: Sequence[RecordedCut]
) -> None:
    """Keep what was measured where the network trains as points of its curve.

    Raises:
        InvalidInput: without a metric, or the scales of that epoch lead to other channels.
        NotFound: that epoch or the network has not arrived.
    """
    metric = stored.metric_of(row)
    if metric is None:
        raise InvalidInput(
            "This recording has no metric, so its cuts have no value to be shown.",
            field="cuts",
            hint="Name one: recede.watch(…, metric=…).",
        )
    shape = history.network(session, row.run_id)
    raw = history.snapshot(session, row.run_id, epoch)
    place = Place(epoch, IMPORTANCE, "global", "drop")
    for one in cuts:
        selection = select(shape, raw, Plan(epoch=epoch, ratio=one.ratio))
        if selection.digest != one.digest:
            raise InvalidInput(
                f"The cut at ratio {one.ratio:g} keeps other channels here than where it trains.",
                field="cuts.digest",
                hint="Use the same version of Recede on both sides.",
            )
        curves.put(
            session,
            row.run_id,
            place,
            ask=one.ratio,
            ratio=selection.ratio,
            digest=selection.digest,
            accuracy=metric.accuracy(one.value),
            cost=vars(cost(shape, selection.kept)),
        )
    points = curves.points(session, row.run_id, place)
    counted = all(point.n_split for point in points)
    if counted and epoch == session.get_one(RunRow, row.run_id).best_epoch:
        lossless = lossless_ratio(curves.known(points))
        runs.set_results(session, row.run_id, lossless_ratio=lossless)
    curves.tell(session, row.run_id, place)


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
    cut = [op for op in shape.ops if op.kind != "fixed"]
    counts = [n for op in cut for n in (op.fan_in, op.fan_out, op.kernel, op.positions)]
    fixed = [n for op in shape.ops for n in (op.params, op.macs)]
    fits = (
        n_groups > 0
        and min(sizes) > 0
        and sum(sizes) <= MAX_NEURONS
        and all(0 <= place < n_groups for place in places)
        and all(0 < n < 2**31 for n in counts)
        and all(0 <= n < 2**53 for n in fixed)
        and all(group.minimum > 0 for group in shape.groups)
        and all(0 <= dim < len(one.shape) for one in shape.tensors for dim, _, _ in one.links)
        and len({group.name for group in shape.groups}) == n_groups
    )
    if not fits:
        raise InvalidInput(
            "network contradicts itself: its layers and groups do not fit together, or it has "
            f"more than {MAX_NEURONS} prunable neurons.",
            field="network",
            hint="Send the network as recede.watch records it.",
        )
