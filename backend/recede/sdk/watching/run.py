"""A training that is recorded, as its script holds it: log, finish, and nothing that raises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from recede.sdk.recording.journal import Journal
from recede.sdk.sending.thread import Sender
from recede.sdk.watching.measuring import Measuring
from recede.sdk.watching.recorder import Recorder
from recede.sdk.watching.trouble import Trouble

Values = dict[int, dict[float, float]]
"""Epoch → ratio of neurons removed → value."""
_THIS_LEFT_OUT = "This epoch is not recorded whole; the training goes on."


class Run:
    """One training that is recorded. No method raises: what goes wrong is logged once."""

    def __init__(
        self,
        trouble: Trouble,
        recorder: Recorder | None = None,
        journal: Journal | None = None,
        measuring: Measuring | None = None,
        curve_s: float = 0.0,
        sender: Sender | None = None,
        serve: Callable[..., Values] | None = None,
    ) -> None:
        self._trouble = trouble
        self._recorder = recorder
        self._journal = journal
        self._measuring = measuring
        self._curve_s = curve_s
        self._sender = sender
        self._serve = serve

    @property
    def folder(self) -> Path | None:
        """Where it is recorded; None where it is not: on other ranks, or after an error."""
        return None if self._journal is None else self._journal.folder

    def log(self, epoch: int | None = None, **metrics: Any) -> None:
        """Record the network as it is now, with these metrics.

        Args:
            epoch: how many are done, from 1 on; without it the next. 0 gives the network
                before training its metrics.
            metrics: numbers, or tensors of one value. `train_loss`, `train_accuracy`,
                `val_loss`, `val_accuracy` and `lr` are drawn in the charts of that name.
        """
        if self._recorder is not None:
            with self._trouble.caught("recording an epoch", _THIS_LEFT_OUT):
                self._recorder.log(epoch, metrics)
                if self._measuring is not None:
                    self._measuring.some()
            if self._sender is not None:
                self._sender.wake()

    def finish(self, error: str | None = None) -> None:
        """Keep the last weights, measure the curve, and say that the training has ended.

        With an `error`, in words, it is recorded as failed and nothing is measured.
        """
        recorder, journal = self._recorder, self._journal
        self._recorder = None
        if recorder is not None and journal is not None:
            with self._trouble.caught("keeping the last weights", "The rest is recorded."):
                recorder.keep_last()
            if self._measuring is not None and error is None:
                with self._trouble.caught("measuring the curve", "The rest is recorded."):
                    self._measuring.rest(self._curve_s)
            with self._trouble.caught("finishing the recording", "It ends here."):
                recorder.finish(error)
            with self._trouble.caught("closing the recording", "It ends here."):
                journal.close()
            if self._sender is not None:
                self._sender.finish()

    def serve(self, *, for_s: float | None = None) -> Values:
        """Finish, measure the rest of the curves, then each cut that is asked for in Explore.

        It goes on until Ctrl-C or for that many seconds; without a server it ends with the
        curves. `evaluate` of recede.watch measures.

        Returns:
            What recede.serve does; nothing where it failed, which is logged, or on other ranks.
        """
        self.finish()
        folder = self.folder
        if folder is not None and self._serve is None:
            self._trouble.say(
                "serving", "Recede: run.serve() measures nothing: recede.watch got no evaluate."
            )
        if folder is not None and self._serve is not None:
            with self._trouble.caught("measuring on request", "What was measured is recorded."):
                return self._serve(folder, for_s=for_s)
        return {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.finish(None if kind is None else f"{kind.__name__}: {error}"[:500])
