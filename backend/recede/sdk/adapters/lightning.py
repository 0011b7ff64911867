"""A training by Lightning's Trainer, recorded: of `lightning.pytorch` or `pytorch_lightning`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from torch import Tensor, nn

from recede.contract.spec.run import MAX_EPOCHS
from recede.sdk.adapters.options import WatchOptions, checked
from recede.sdk.recording.reading import may_go_on
from recede.sdk.watching.run import Run
from recede.sdk.watching.trouble import Trouble
from recede.sdk.watching.watch import watch

PACKAGES = {"lightning": "lightning.pytorch", "pytorch_lightning": "pytorch_lightning"}
"""One package under two names, each with a class of its own: a Trainer takes its own alone."""
_GOES_ON = "The training goes on."


def _callbacks() -> tuple[type, ...]:
    """The class of callbacks of each of the packages that is installed.

    Raises:
        ImportError: neither is.
    """
    found = tuple(
        import_module(module).Callback
        for package, module in PACKAGES.items()
        if find_spec(package)
    )
    if not found:
        raise ImportError(
            "recede.LightningCallback needs Lightning: pip install 'recede[lightning]'."
        )
    return found


if TYPE_CHECKING:

    class _Callback:
        """What both packages call a callback."""
else:
    _Callback = type("_Callback", _callbacks(), {})


class LightningCallback(_Callback):
    """Records what `Trainer.fit` trains, as `recede.watch` does, epoch by epoch.

    All of `trainer.callback_metrics` is recorded, and the learning rate as `lr`; metrics of a
    validation only for epochs that had one. A training that raises, or is interrupted, is
    recorded as failed. From a checkpoint the recording goes on, unless it was finished. Rank 0
    alone records. Sanity checks, validation and tests on their own and `fast_dev_run` are not
    recorded.
    """

    def __init__(
        self,
        example_inputs: Tensor | None = None,
        *,
        network: str = "",
        **options: Unpack[WatchOptions],
    ) -> None:
        """Options are those of `recede.watch`.

        Args:
            example_inputs: images as the network takes them, (N, C, H, W); without them the
                first such tensor of the first training batch.
            network: which attribute of the LightningModule holds the network. Without it that
                is the module itself or, where it has no `forward`, its only part with weights.
        """
        super().__init__()
        self._example_inputs = example_inputs
        self._network = network
        self._options = checked(options, "recede.LightningCallback")
        self._trouble = Trouble()
        self._folder: str | None = None  # where it is or was recorded
        self._from_checkpoint: str | None = None
        self._clear()

    def _clear(self) -> None:
        self._run: Run | None = None
        self._done: int | None = None  # epochs, while the last of them is still to be recorded
        self._lr: float | None = None
        self._validated = False
        self._of_validation: set[str] = set()
        self._before: dict[str, Any] = {}

    def on_train_start(self, *_: Any) -> None:
        """Begin anew; the first batch begins the recording."""
        self._clear()

    def on_train_epoch_start(self, trainer: Any, *_: Any) -> None:
        """Record the epoch before: by now all of its metrics are there."""
        self._record(trainer)
        with self._trouble.caught("reading the learning rate", _GOES_ON):
            if trainer.optimizers:
                self._lr = float(trainer.optimizers[0].param_groups[0]["lr"])

    def on_train_batch_start(
        self, trainer: Any, pl_module: nn.Module, batch: Any, *_: Any
    ) -> None:
        """Begin the recording, before the first step."""
        if self._run is None and trainer.is_global_zero and not trainer.fast_dev_run:
            self._run = Run(self._trouble)  # that records nothing, should it fail
            with self._trouble.caught("watching the training", _GOES_ON):
                self._run = self._begun(trainer, pl_module, batch)

    def on_validation_start(self, trainer: Any, *_: Any) -> None:
        """Look at the metrics before a validation, to know which are its own."""
        with self._trouble.caught("reading metrics", _GOES_ON):
            self._before = dict(trainer.callback_metrics)

    def on_validation_end(self, trainer: Any, *_: Any) -> None:
        """Remember which metrics are the validation's."""
        if not trainer.sanity_checking:
            with self._trouble.caught("reading metrics", _GOES_ON):
                self._validated = True
                now = trainer.callback_metrics.items()
                self._of_validation |= {n for n, v in now if self._before.get(n) is not v}

    def on_train_epoch_end(self, trainer: Any, *_: Any) -> None:
        """An epoch is done; metrics may still be logged by the LightningModule's own hook."""
        self._done = trainer.current_epoch + 1

    def on_train_end(self, trainer: Any, *_: Any) -> None:
        """Record the last epoch and finish the recording."""
        self._record(trainer)
        if self._run is not None:
            self._run.finish()
        self._clear()

    def on_exception(self, trainer: Any, _: nn.Module, exception: BaseException) -> None:
        """Record that the training failed."""
        if trainer.world_size == 1:  # metrics of several processes may wait for the others
            self._record(trainer)
        if self._run is not None:
            self._run.__exit__(type(exception), exception, exception.__traceback__)
        self._clear()

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint: the folder of the recording."""
        return {} if self._folder is None else {"recording": self._folder}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """From a checkpoint: the recording that goes on."""
        self._from_checkpoint = state_dict.get("recording")

    def _begun(self, trainer: Any, pl_module: nn.Module, batch: Any) -> Run:
        options = self._options.copy()
        before, self._from_checkpoint = self._from_checkpoint, None
        goes_on = before is not None and may_go_on(Path(before))
        if goes_on:
            options |= WatchOptions(folder=before)
        images = _images(batch) if self._example_inputs is None else self._example_inputs
        planned = trainer.max_epochs or 0
        run = watch(
            self._network_of(pl_module),
            images,  # type: ignore[arg-type]  # watch says what it wants where there are none
            epochs=planned if 1 <= planned <= MAX_EPOCHS else None,
            resume=goes_on,
            **options,
        )
        self._folder = None if run.folder is None else str(run.folder.resolve())
        return run

    def _network_of(self, pl_module: nn.Module) -> nn.Module:
        if self._network or type(pl_module).forward.__qualname__ != "LightningModule.forward":
            return pl_module.get_submodule(self._network)
        with_weights = [
            part for part in pl_module.children() if any(True for _ in part.parameters())
        ]
        return with_weights[0] if len(with_weights) == 1 else pl_module

    def _record(self, trainer: Any) -> None:
        """Record the epoch that is done, if it is not yet recorded."""
        done, self._done = self._done, None
        if done is None:
            return
        with self._trouble.caught("recording an epoch", _GOES_ON):
            metrics = self._metrics(trainer)  # in every process: they may have to be reduced
            self._validated = False
            if self._run is not None:
                self._run.log(done, **metrics)

    def _metrics(self, trainer: Any) -> dict[str, Any]:
        found = dict(trainer.callback_metrics)
        left_out = {n for n in found if n.endswith("_step") and f"{n[:-5]}_epoch" in found}
        left_out |= {"epoch"}  # is counted anyway
        if not self._validated:
            left_out |= self._of_validation  # they are of an earlier epoch
        lr = {} if self._lr is None else {"lr": self._lr}
        return lr | {name: value for name, value in found.items() if name not in left_out}


def _images(batch: Any) -> Tensor | None:
    """Two images of a batch: the first tensor in it that holds images, if any does."""
    if isinstance(batch, Tensor):
        return batch[:2] if batch.ndim == 4 and batch.is_floating_point() else None
    parts = batch.values() if isinstance(batch, Mapping) else batch
    if not isinstance(batch, Mapping | list | tuple):
        return None
    return next((found for part in parts if (found := _images(part)) is not None), None)
