"""Reads a recording while it is written: whole lines only, each once. Needs no PyTorch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from recede.contract.errors import InvalidInput
from recede.sdk.recording.lines import (
    FORMAT,
    LINE,
    LINES,
    SCALES,
    Answered,
    AnyLine,
    Begun,
    Dropped,
    Finished,
    Kept,
    Logged,
    Measured,
    Resumed,
)
from recede.sdk.recording.lock import is_held

FloatArray = npt.NDArray[np.float32]
_KINDS = ("begun", "resumed", "logged", "kept", "dropped", "measured", "answered", "finished")


class UnusableRecording(InvalidInput):
    """A folder that holds no recording, or one that cannot be read."""

    code = "unusable_recording"


def is_recording(folder: Path) -> bool:
    """Whether a training was recorded into this folder."""
    return (folder / LINES).is_file()


def may_go_on(folder: Path) -> bool:
    """Whether there is a recording here that ended by no `finish`, or by an error.

    Raises:
        UnusableRecording: it cannot be read.
    """
    if not is_recording(folder):
        return False
    finished = Recording(folder).finished
    return finished is None or finished.error is not None


class Recording:
    """What a folder holds so far; `advance` takes up what was written since."""

    def __init__(self, folder: Path) -> None:
        """Read what is there.

        Raises:
            UnusableRecording: there is no first line, or one that cannot be read.
        """
        if not is_recording(folder):
            raise UnusableRecording(
                f"{folder} holds no recording: there is no {LINES} in it.",
                hint="Give the folder that recede.watch(…, folder=…) records into.",
            )
        self.folder = folder
        self.epochs: dict[int, Logged] = {}
        self.weights: dict[int, str] = {}
        self.cuts: dict[int, dict[float, Measured]] = {}
        """By epoch and ratio."""
        self.values: dict[tuple[int, str], float] = {}
        """Of all cuts that were measured, by epoch and kept channels (digest)."""
        self.finished: Finished | None = None
        self.last_at = 0.0
        """When the last line was written, in seconds since 1970."""
        self._begun: Begun | None = None
        self._at = 0
        self._n_lines = 0
        self.advance()
        if self._begun is None:
            raise UnusableRecording(
                f"The recording in {folder} has not begun: its first line is not whole.",
                hint="Wait until the training has started.",
            )

    @property
    def begun(self) -> Begun:
        """The first line."""
        assert self._begun is not None
        return self._begun

    @property
    def best(self) -> int | None:
        """The best epoch by the metric so far; None where none has it."""
        metric = self.begun.metric
        if metric is None:
            return None
        found = {epoch: line.metrics.get(metric.name) for epoch, line in self.epochs.items()}
        return metric.best({epoch: value for epoch, value in found.items() if value is not None})

    @property
    def is_written(self) -> bool:
        """Whether the process that records into it is alive."""
        return self.finished is None and is_held(self.folder)

    def advance(self) -> list[AnyLine]:
        """The lines that have become whole since the last call; raises UnusableRecording."""
        found = list(self._new_lines())
        for line in found:
            self._take(line)
        return found

    def scales(self, epoch: int) -> FloatArray | None:
        """Raw scales of all prunable neurons at an epoch, None where none were recorded.

        Raises:
            UnusableRecording: their file is gone or damaged.
        """
        name = self.epochs[epoch].scales
        return None if name is None else _read_scales(self.folder / name)

    def _new_lines(self) -> Iterator[AnyLine]:
        with (self.folder / LINES).open("rb") as stream:
            stream.seek(self._at)
            for text in stream:
                if not text.endswith(b"\n"):
                    return  # it is being written
                self._at += len(text)
                self._n_lines += 1
                line = self._parsed(text)
                if line is not None:
                    yield line

    def _parsed(self, text: bytes) -> AnyLine | None:
        """The line; None of a kind that a newer version added."""
        try:
            given = json.loads(text)
            if given["kind"] == "begun" and given["format"] > FORMAT:
                raise UnusableRecording(
                    f"{self.folder} was recorded in format {given['format']}; this Recede "
                    f"reads up to {FORMAT}.",
                    hint=f"Install Recede {given.get('recede', '')} or newer here.",
                )
            return LINE.validate_python(given) if given["kind"] in _KINDS else None
        except (ValueError, KeyError, TypeError, ValidationError) as error:
            raise UnusableRecording(
                f"Line {self._n_lines} of {self.folder / LINES} cannot be read: {error}",
                hint="Remove that line, or copy the folder again.",
            ) from error

    def _take(self, line: AnyLine) -> None:
        self.last_at = line.at
        match line:
            case Begun():
                self._begun = line
            case Resumed():
                self.finished = None
            case Logged():
                before = self.epochs.get(line.epoch)
                self.epochs[line.epoch] = line if before is None else _joined(before, line)
            case Kept():
                self.weights[line.epoch] = line.weights
            case Dropped():
                self.weights.pop(line.epoch, None)
            case Measured():
                self.cuts.setdefault(line.epoch, {}).setdefault(line.ratio, line)
                self.values.setdefault((line.epoch, line.digest), line.value)
            case Answered():
                self.values.setdefault((line.epoch, line.digest), line.value)
            case Finished():
                self.finished = line


def _joined(before: Logged, line: Logged) -> Logged:
    """The metrics of epoch 0 may come after its scales."""
    return before.model_copy(update={"metrics": {**line.metrics, **before.metrics}})


def _read_scales(path: Path) -> FloatArray:
    """The one tensor of a safetensors file: a length, a JSON header, the values."""
    try:
        text = path.read_bytes()
        length = int.from_bytes(text[:8], "little")
        header = json.loads(text[8 : 8 + length])[SCALES]
        begin, end = header["data_offsets"]
        values = np.frombuffer(text[8 + length + begin : 8 + length + end], dtype="<f4")
        if header["dtype"] != "F32" or [values.size] != header["shape"]:
            raise ValueError("it does not hold one row of float32")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableRecording(
            f"The scales in {path} cannot be read: {error}", hint="Copy the folder again."
        ) from error
    return values.astype(np.float32)
