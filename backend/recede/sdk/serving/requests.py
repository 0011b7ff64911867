"""Hears from a service which cuts are asked for, and sends what was measured, beside measuring."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from recede.client import ApiError, RecedeClient
from recede.contract.errors import RecedeError
from recede.contract.recorded.sent import CutAnswer, CutRequest
from recede.sdk.recording.reading import Recording
from recede.sdk.sending.delivery import Delivery
from recede.sdk.sending.outage import Outage, may_pass

EVERY_S = 2.0
"""How often requests are looked for: a person waits for them."""
LONGEST_PAUSE_S = 30.0
"""Between two attempts to reach a service that does not answer."""
FLUSH_S = 10.0
"""How long the end waits for what is not sent yet."""


class Requests(threading.Thread):
    """Keeps a service up to date with a recording that is measured, across its outages.

    All that goes over the network is done here: measuring never waits for it.
    """

    def __init__(
        self,
        client: RecedeClient,
        folder: Path,
        say: Callable[[str], None],
        *,
        pause_s: float = EVERY_S,
    ) -> None:
        super().__init__(name="recede-requests", daemon=True)
        self._client = client
        self._folder = folder
        self._say = say
        self._changed = threading.Condition()
        self._open: list[CutRequest] = []
        self._answers: deque[tuple[int, CutAnswer]] = deque()
        self._answered: set[int] = set()
        self._woken = threading.Event()
        self._ending = threading.Event()
        self._outage = Outage(pause_s, LONGEST_PAUSE_S)
        self._unsent = True
        self._error: RecedeError | OSError | None = None

    def next(self, timeout_s: float) -> CutRequest | None:
        """The oldest request that is not answered yet, waited for at most this long.

        Raises:
            ApiError: the service refuses to take anything more.
            UnusableRecording, OSError: the folder was damaged or taken away.
        """
        with self._changed:
            if not self._waiting() and self._error is None and timeout_s > 0:
                self._changed.wait(timeout_s)
            if self._error is not None:
                raise self._error
            return next(iter(self._waiting()), None)

    def answer(self, request: CutRequest, answer: CutAnswer) -> None:
        """Send what was measured; during an outage it waits."""
        with self._changed:
            self._answered.add(request.id)
            self._answers.append((request.id, answer))
        self._woken.set()

    def wake(self) -> None:
        """There is something new to send."""
        self._woken.set()

    def finish(self, flush_s: float = FLUSH_S) -> None:
        """Send the rest if that takes no longer, and say that nobody measures any more."""
        self._ending.set()
        self._woken.set()
        self.join(flush_s)
        if self.is_alive() or self._outage.failures:
            self._say(
                f"Not all was sent. It stays in {self._folder}: serve it again, or `recede import "
                f"{self._folder}` sends the curves."
            )

    def run(self) -> None:
        """Send and listen until the end, or until the service refuses."""
        try:
            with self._client:
                self._keep_up()
        except (RecedeError, OSError) as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _waiting(self) -> list[CutRequest]:
        return [one for one in self._open if one.id not in self._answered]

    def _keep_up(self) -> None:
        recording = Recording(self._folder)
        delivery = Delivery(self._client, recording)
        while True:
            ending = self._ending.is_set()  # first: what came before it is sent below
            self._woken.clear()
            try:
                self._exchange(delivery, recording, ending=ending)
            except ApiError as error:
                if not may_pass(error):
                    raise
                self._silent(error)
            else:
                if self._outage.failures:
                    self._say("The service answers again.")
                self._outage.over()
            if ending:
                return
            self._outage.wait(self._woken, self._ending)

    def _exchange(self, delivery: Delivery, recording: Recording, *, ending: bool) -> None:
        self._unsent |= bool(recording.advance())
        if self._unsent:
            delivery.send()
            self._unsent = False
        key = recording.begun.key
        while self._answers:
            job_id, answer = self._answers[0]
            try:
                self._client.answer_request(key, job_id, answer)
            except ApiError as error:
                if may_pass(error):
                    raise
                self._say(f"An answer was not taken: {error.message}")
            self._answers.popleft()
        if ending:
            self._client.stop_serving(key)
            return
        found = self._client.serve_recording(key, sorted(recording.weights)).items
        with self._changed:
            self._open = found
            self._changed.notify_all()

    def _silent(self, error: ApiError) -> None:
        if not self._outage.failures:
            self._say(f"{error.message} It is tried again; measuring goes on.")
        self._outage.failed()
