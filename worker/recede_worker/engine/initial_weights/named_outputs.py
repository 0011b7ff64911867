"""The head's outputs that belong to the data set's classes, chosen by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from recede.contract.network import class_names, weight_files
from recede.contract.network.class_names import WrongClasses
from recede.contract.spec.run import Init
from recede_worker.networks import ilsvrc


@dataclass(frozen=True)
class Outputs:
    """Which output of the weights each class of the data set has."""

    index: tuple[int, ...]
    of: int
    """Outputs that the weights have by the names given."""

    @property
    def sentence(self) -> str:
        """What became of the head, for the job's log."""
        if self.index == tuple(range(self.of)):
            return f"the {self.of} outputs have the order of the classes"
        return f"the head has {len(self.index)} of {self.of} outputs, chosen by the classes' names"


def outputs_for(
    init: Init, roots: Sequence[Path], classes: Sequence[str], known: tuple[str, ...] | None
) -> Outputs | None:
    """The outputs for the classes, by the names of `init.classes` or those that are `known`.

    None if there are no names, or a new head is wanted.

    Raises:
        WrongClasses: the names cannot be read, or are not those of the classes.
        UnusableWeights: there is no such file under the data roots.
    """
    if init.new_head or (init.classes is None and known is None):
        return None
    names = _names(init.classes, roots) if init.classes is not None else known or ()
    return Outputs(tuple(class_names.outputs_of(classes, names, ilsvrc.key)), len(names))


def _names(given: str | tuple[str, ...], roots: Sequence[Path]) -> tuple[str, ...]:
    if not isinstance(given, str):
        return given
    if given == class_names.ILSVRC:
        return ilsvrc.wordnet_ids()
    return class_names.read_names(weight_files.find(roots, given, class_names.FIELD))


def with_outputs(weights: Mapping[str, Tensor], head: str, outputs: Outputs) -> dict[str, Tensor]:
    """The weights with the rows of their head that are those outputs, in that order.

    Raises:
        WrongClasses: the head has another number of outputs than names were given.
    """
    index = torch.tensor(outputs.index)
    chosen = dict(weights)
    for name in (f"{head}.weight", f"{head}.bias"):
        if name not in chosen:
            continue  # what is missing is said where all entries are compared
        rows_K = chosen[name]
        if len(rows_K) != outputs.of:
            raise WrongClasses(
                f"The head of the weights has {len(rows_K)} outputs, and {outputs.of} names were "
                "given for them.",
                field=class_names.FIELD,
                hint="Name every output once, in the order of the scores.",
            )
        chosen[name] = rows_K.index_select(0, index)
    return chosen
