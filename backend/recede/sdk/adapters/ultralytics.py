"""A training by Ultralytics, recorded through its documented callbacks.

Their package (AGPL-3.0) is neither imported nor needed here: its model is handed in.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, Unpack

import torch
from torch import Tensor

from recede.sdk.adapters.options import WatchOptions, checked
from recede.sdk.watching.run import Run
from recede.sdk.watching.trouble import Trouble
from recede.sdk.watching.watch import watch

FITNESS = "fitness"
"""What Ultralytics chooses its best epoch by."""
FOLDER = "recede"
"""Where a training is recorded that is given no folder, below its own `save_dir`."""
_GOES_ON = "The training goes on."


class _Model(Protocol):
    def add_callback(self, event: str, func: Callable[[Any], None]) -> None: ...


def watch_ultralytics(
    model: _Model, example_inputs: Tensor | None = None, **options: Unpack[WatchOptions]
) -> None:
    """Record what `model.train(…)` trains, as `recede.watch` does, epoch by epoch.

    `model` is a `YOLO` or any other that has `add_callback`. Recorded is the moving average of
    the weights, which Ultralytics validates and saves, with all of its metrics and losses; the
    best epoch is that of its `fitness`, unless another `metric` is named. Options are those of
    `recede.watch`. Of several processes rank 0 records.

    Args:
        example_inputs: images as the network takes them, (N, C, H, W); without them one of the
            training's size.

    Raises:
        TypeError: an option that `recede.watch` does not have.
    """
    training = _Training(example_inputs, checked(options, "recede.watch_ultralytics"))
    for event in (
        "on_train_start",
        "on_train_epoch_end",
        "on_fit_epoch_end",
        "on_train_end",
        "teardown",
    ):
        model.add_callback(event, getattr(training, event))


class _Training:
    """One training after the other; each method is a callback and gets the trainer."""

    def __init__(self, example_inputs: Tensor | None, options: WatchOptions) -> None:
        self._example_inputs = example_inputs
        self._options = options
        self._trouble = Trouble()
        self._run: Run | None = None
        self._trained = False  # an epoch that is not yet recorded
        self._metrics: Any = None

    def on_train_start(self, trainer: Any) -> None:
        self._run, self._trained, self._metrics = None, False, None
        with self._trouble.caught("watching the training", _GOES_ON):
            self._run = self._begun(trainer)

    def on_train_epoch_end(self, trainer: Any) -> None:  # noqa: ARG002 - Ultralytics gives it
        self._trained = True

    def on_fit_epoch_end(self, trainer: Any) -> None:
        """After an epoch's validation, and once more after the last validation of all."""
        if self._trained and self._run is not None:
            self._trained = False
            with self._trouble.caught("recording an epoch", _GOES_ON):
                self._run.log(trainer.epoch + 1, **self._numbers(trainer))

    def on_train_end(self, trainer: Any) -> None:  # noqa: ARG002
        self._finish(None)

    def teardown(self, trainer: Any) -> None:  # noqa: ARG002
        """After every training; one that raised did not come to its end."""
        error = sys.exc_info()[1]
        words = "it ended early" if error is None else f"{type(error).__name__}: {error}"
        self._finish(words[:500])

    def _finish(self, error: str | None) -> None:
        run, self._run = self._run, None
        if run is not None:
            run.finish(error)

    def _begun(self, trainer: Any) -> Run:
        given = WatchOptions(
            folder=Path(trainer.save_dir) / FOLDER,
            name=Path(str(trainer.args.model)).stem,
            dataset=Path(str(trainer.args.data)).stem,
        )
        if "evaluate" not in self._options:  # else it gives a metric that has to be named
            given["metric"] = FITNESS
        network = trainer.model if trainer.ema is None else trainer.ema.ema
        images = self._example_inputs
        return watch(
            network,
            _blank(trainer) if images is None else images,
            epochs=trainer.epochs,
            resume=bool(trainer.args.resume),
            **(given | self._options),
        )

    def _numbers(self, trainer: Any) -> dict[str, Any]:
        """Losses and learning rate of the epoch, and its metrics where it was validated."""
        found: dict[str, Any] = {}
        with self._trouble.caught("reading the losses", _GOES_ON):
            found |= trainer.label_loss_items(trainer.tloss, prefix="train")
            found["lr"] = next(iter(trainer.lr.values()))
        if isinstance(trainer.metrics, Mapping) and trainer.metrics is not self._metrics:
            self._metrics = trainer.metrics
            found |= trainer.metrics
            found[FITNESS] = trainer.fitness
        return found


def _blank(trainer: Any) -> Tensor:
    """An image of the size and channels that it trains on."""
    channels = trainer.data.get("channels", 3) if isinstance(trainer.data, Mapping) else 3
    return torch.zeros(1, channels, trainer.args.imgsz, trainer.args.imgsz)
