"""What a run leaves behind epoch by epoch."""

from __future__ import annotations

from pydantic import BaseModel

from recede.contract.cut.polarisation import Polarisation


class EpochOut(BaseModel):
    """Metrics of one finished epoch; epoch 0 is the untrained network."""

    epoch: int
    train_loss: float | None
    train_accuracy: float | None
    penalty: float | None
    val_loss: float | None
    val_accuracy: float | None
    n_val: int | None
    """The three are null of a recorded run that did not log them."""
    lr: float | None
    images_per_s: float | None
    seconds: float
    finished_at: float
    metrics: dict[str, float] = {}
    """Of a recorded run: all that was logged, by name."""


class SnapshotsOut(BaseModel):
    """Epochs of which the importances are stored, and those whose weights can be cut."""

    epochs: list[int]
    weights: list[int]
    best_epoch: int | None


class EpochPolarisation(BaseModel):
    """How clearly the importances of one epoch have parted; `layers` only if asked for."""

    epoch: int
    overall: Polarisation
    layers: dict[str, Polarisation] | None = None


class PolarisationsOut(BaseModel):
    """Polarisation epoch by epoch; `definitions` says each field in one sentence."""

    items: list[EpochPolarisation]
    definitions: dict[str, str]
