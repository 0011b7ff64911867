"""The notice that given weights seem to have the data set's classes in another order.

A network that tells the classes apart, but calls them by each other's names, has an accuracy near
chance and a confusion matrix near a permutation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from recede.contract.spec.run import RunSpec
from recede.store.experiments import runs
from recede_worker.engine.evaluation.accuracy import Evaluation
from recede_worker.engine.inputs.load import Data
from recede_worker.engine.job.handle import JobHandle

CLASS_ORDER = "class_order"
LEAST_GAIN = 0.1
"""Share of the images that another order must gain: a network with the right one gains none."""
DEVIATIONS = 4
"""The gain is above chance by so many standard deviations of as many coin flips."""
SHOWN = 3
HINT = (
    "Import the weights again with the names of their outputs in order: init.classes, or "
    "--classes FILE. Until then accuracies, curve and cuts measure wrong classes."
)

Classes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class OtherOrder:
    """Outputs assigned to classes on one half of the images, and tried on the other."""

    class_of: tuple[int, ...]
    """The class that each output seems to mean."""
    correct: int
    """Of the other half, as the outputs are."""
    assigned: int
    """Of the other half, by the assignment."""
    n: int
    """Images of the other half."""

    @property
    def is_better(self) -> bool:
        """Whether the order of the outputs is wrong, beyond doubt."""
        gain = self.assigned - self.correct
        return gain > max(LEAST_GAIN * self.n, DEVIATIONS * math.sqrt(self.n) / 2)


def other_order(predicted_N: Classes, labels_N: Classes, classes: int) -> OtherOrder:
    """The best assignment by the confusion of every second image, tried on those between.

    Without the second half chance would find an assignment that suits any few images.
    """
    confusion_KK = np.zeros((classes, classes), np.int64)
    np.add.at(confusion_KK, (predicted_N[::2], labels_N[::2]), 1)
    _, class_of_K = linear_sum_assignment(confusion_KK, maximize=True)
    predicted_M, labels_M = predicted_N[1::2], labels_N[1::2]
    return OtherOrder(
        class_of=tuple(int(one) for one in class_of_K),
        correct=int((predicted_M == labels_M).sum()),
        assigned=int((class_of_K[predicted_M] == labels_M).sum()),
        n=len(labels_M),
    )


def check_class_order(job: JobHandle, spec: RunSpec, data: Data, validation: Evaluation) -> None:
    """Add the notice to a run of weights from elsewhere, if its validation images ask for it."""
    init = spec.init
    if init is None or init.run is not None or init.new_head:
        return
    labels_N = data.validation.y_N.cpu().numpy()
    found = other_order(validation.predicted_N.numpy(), labels_N, len(data.classes))
    if not found.is_better:
        return
    message = _words(found, data.classes)
    job.log(message)
    with job.write() as session:
        runs.notice(session, job.run_id, CLASS_ORDER, message, hint=HINT, epoch=0)


def _words(found: OtherOrder, names: Sequence[str]) -> str:
    moved = [
        f"what answers for {names[output]!r} means {names[meant]!r}"
        for output, meant in enumerate(found.class_of)
        if meant != output
    ]
    some = "; ".join(moved[:SHOWN]) + (f"; and {len(moved) - SHOWN} more" * (len(moved) > SHOWN))
    return (
        "The weights seem to have the classes in another order than the data set: "
        f"{_percent(found.correct, found.n)} of {found.n} validation images are right, and "
        f"{_percent(found.assigned, found.n)} would be with other names for the outputs, which "
        f"were chosen on as many others ({some})."
    )


def _percent(part: int, n: int) -> str:
    return f"{100 * part / n:.1f} %"
