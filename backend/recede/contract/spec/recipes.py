"""How a cut network is trained on: the published recipe, and a short one. One place for both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from recede.contract.errors import UnknownName
from recede.contract.spec.run import RunSpec


class Recipe(BaseModel):
    """What a fine-tuning sets; all else is as in the run that was cut.

    Epochs and learning rate are given, or as a share of that run's. The regulariser is left
    out by every recipe: the neurons have been chosen.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    label: str
    help: str
    epochs: int | None = None
    epochs_share: float | None = None
    lr: float | None = None
    lr_share: float | None = None
    batch_size: int | None = None
    schedule: Literal["step", "cosine"] = "step"

    def fields(self, parent: RunSpec) -> dict[str, Any]:
        """What it makes of the fields of a RunSpec, for a cut of that run's network."""
        epochs = self.epochs or max(1, round(parent.epochs * (self.epochs_share or 1.0)))
        lr = self.lr or float(f"{parent.lr * (self.lr_share or 1.0):.6g}")
        batch = self.batch_size or parent.batch_size
        if batch % parent.processes or batch < 2 * parent.processes:
            batch = parent.batch_size
        return {
            "epochs": epochs,
            "lr": lr,
            "batch_size": batch,
            "schedule": self.schedule,
            "warmup_epochs": 0,
        }


RECIPES: Sequence[Recipe] = (
    Recipe(
        name="short",
        label="Short",
        help="A fifth of the epochs that the network was trained for, from a tenth of its "
        "learning rate, without the regulariser.",
        epochs_share=0.2,
        lr_share=0.1,
    ),
    Recipe(
        name="published",
        label="As published",
        help="160 epochs of batches of 64 from a learning rate of 0.1, divided by 10 at 50 % and "
        "75 %, without the regulariser (Suteu and Guo, 2022).",
        epochs=160,
        lr=0.1,
        batch_size=64,
    ),
)
"""The first is what forms begin with."""


def recipe(name: str) -> Recipe:
    """The recipe of that name; raises UnknownName."""
    for one in RECIPES:
        if one.name == name:
            return one
    raise UnknownName("recipe", name, [one.name for one in RECIPES], field="recipe")
