"""Sends a recording to a service: what it lacks, each part once. Needs no PyTorch."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field

from recede.client import ApiError, RecedeClient
from recede.contract.schemas import (
    RecordedCut,
    RecordedCutsBody,
    RecordedEpochBody,
    RecordingBody,
    RecordingOut,
    RecordingStateBody,
)
from recede.contract.states import State
from recede.sdk.recording.lines import Logged
from recede.sdk.recording.reading import Recording

_NOT_THERE = 404
UNFINISHED = "The training ended without run.finish(): it was killed, or it crashed."


class TooOld(ApiError):
    """The service does not know recordings."""

    def __init__(self, url: str) -> None:
        super().__init__(
            f"The service at {url} is too old to take recordings.",
            status=_NOT_THERE,
            hint="Update it; what is recorded stays in its folder.",
        )


@dataclass
class Sent:
    """What one look at the recording brought to the service."""

    state: State
    epochs: list[Logged] = field(default_factory=list)
    error: str | None = None


class Delivery:
    """One recording on its way to one service; what fails is tried again by the next `send`."""

    def __init__(self, client: RecedeClient, recording: Recording) -> None:
        self._client = client
        self._recording = recording
        self._there: dict[int, bool] | None = None  # epoch → whether it has its metrics
        self._cuts: dict[int, set[float]] = {}  # epoch → ratios

    def begin(self) -> RecordingOut:
        """Find the run of this recording, or make it; what has arrived is not sent again.

        Raises:
            ApiError: the service refuses, is too old (TooOld) or does not answer.
        """
        begun = self._recording.begun
        body = RecordingBody(
            name=begun.name,
            dataset=begun.dataset,
            architecture=begun.architecture,
            epochs=begun.epochs,
            metric=begun.metric,
            network=begun.network,
            started_at=begun.at,
        )
        try:
            known = self._client.begin_recording(begun.key, body)
        except ApiError as error:
            if error.status != _NOT_THERE:
                raise
            raise TooOld(self._client.url) from error
        bare = set(known.without_metrics)
        self._there = {epoch: epoch not in bare for epoch in known.epochs}
        self._cuts = {epoch: {*ratios} for epoch, ratios in known.cuts.items()}
        return known

    def send(self, on_epoch: Callable[[Logged], None] = lambda _: None) -> Sent:
        """Send what was recorded since the last time, and how the training stands.

        Raises:
            ApiError: the service refuses or does not answer; what arrived stays.
            UnusableRecording: the folder was damaged.
        """
        if self._there is None:
            self.begin()
        alive = self._recording.is_written  # first: what it wrote before it died is read below
        self._recording.advance()
        sent = Sent(*self._state(alive=alive))
        for epoch, line in sorted(self._recording.epochs.items()):
            if self._lacks(epoch, line):
                self._send_epoch(line)
                sent.epochs.append(line)
                on_epoch(line)
        self._send_cuts()
        state = RecordingStateBody.model_validate(
            {"state": sent.state, "error": sent.error, "ended_at": self._recording.last_at}
        )
        self._client.set_recording_state(self._recording.begun.key, state)
        return sent

    def _lacks(self, epoch: int, line: Logged) -> bool:
        assert self._there is not None
        has_metrics = self._there.get(epoch)
        return has_metrics is None or (not has_metrics and bool(line.metrics))

    def _send_epoch(self, line: Logged) -> None:
        assert self._there is not None
        raw = self._recording.scales(line.epoch)
        body = RecordedEpochBody(
            at=line.at,
            metrics=line.metrics,
            seconds=line.seconds,
            scales=None if raw is None else b64encode(raw.astype("<f4").tobytes()),
        )
        self._client.put_recorded_epoch(self._recording.begun.key, line.epoch, body)
        self._there[line.epoch] = bool(line.metrics)

    def _send_cuts(self) -> None:
        if self._recording.begun.metric is None:
            return
        for epoch, measured in self._recording.cuts.items():
            there = self._cuts.setdefault(epoch, set())
            new = [line for ratio, line in measured.items() if ratio not in there]
            if new:
                cuts = [
                    RecordedCut(ratio=line.ratio, digest=line.digest, value=line.value)
                    for line in new
                ]
                key = self._recording.begun.key
                self._client.put_recorded_cuts(key, epoch, RecordedCutsBody(cuts=cuts))
                there |= {line.ratio for line in new}

    def _state(self, *, alive: bool) -> tuple[State, list[Logged], str | None]:
        finished = self._recording.finished
        if finished is None:
            state, error = (State.RUNNING, None) if alive else (State.FAILED, UNFINISHED)
        else:
            state, error = State.FAILED if finished.error else State.SUCCEEDED, finished.error
        return state, [], error
