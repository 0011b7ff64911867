"""Sends a recording to a service beside the training, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from recede.client import ApiError, RecedeClient
from recede.contract.errors import RecedeError
from recede.sdk.recording.reading import Recording
from recede.sdk.sending.delivery import Delivery
from recede.sdk.sending.outage import Outage, may_pass

Say = Callable[[str, str], None]
"""Logs a message, unless one of that kind was logged before."""

BEAT_S = 5.0
"""How often the service hears that the training lives; it takes 10 s of silence as a stall."""
LONGEST_PAUSE_S = 60.0
"""Between two attempts to reach a service that does not answer."""
FLUSH_S = 10.0
"""How long the end of the training waits for what is not sent yet."""
_FORBIDDEN = (401, 403)


class Sender(threading.Thread):
    """Keeps a service up to date with a folder, and takes it up again after an outage.

    It reads what was recorded: a step never waits for it, and nothing is lost that cannot be
    sent. `say` gets the reason once where something is not sent.
    """

    def __init__(
        self, client: RecedeClient, folder: Path, say: Say, *, pause_s: float = BEAT_S
    ) -> None:
        super().__init__(name="recede-sender", daemon=True)
        self._client = client
        self._folder = folder
        self._say = say
        self._woken = threading.Event()
        self._ending = threading.Event()
        self._outage = Outage(pause_s, LONGEST_PAUSE_S)

    def wake(self) -> None:
        """There is something new to send."""
        self._woken.set()

    def finish(self, flush_s: float = FLUSH_S) -> None:
        """Send the rest if that takes no longer; what is left stays in the folder."""
        self._ending.set()
        self._woken.set()
        self.join(flush_s)
        if self.is_alive():
            self._say("unsent", f"Recede: not all was sent. {self._by_hand()}")

    def run(self) -> None:
        """Send until the end of the training, or until the service refuses."""
        try:
            with self._client:
                self._send_all(Delivery(self._client, Recording(self._folder)))
        except (RecedeError, OSError) as error:  # the folder was damaged or taken away
            self._say("unreadable", f"Recede: sending has stopped: {error}")

    def _send_all(self, delivery: Delivery) -> None:
        while self._sent(delivery):
            self._outage.wait(self._woken, self._ending)
            self._woken.clear()

    def _sent(self, delivery: Delivery) -> bool:
        """Send what is new; False if nothing more will be sent."""
        ending = self._ending.is_set()  # first: what was recorded before it is sent below
        try:
            sent = delivery.send()
        except ApiError as error:
            goes_on = self._goes_on(error)
            if goes_on and ending:
                self._say("unsent", f"Recede: not all was sent. {self._by_hand()}")
            return goes_on and not ending
        self._outage.over()
        return not (ending or sent.state.is_final)

    def _goes_on(self, error: ApiError) -> bool:
        """Whether to try again after an error, which is said once."""
        why = " ".join(filter(None, (error.message, error.hint)))
        if may_pass(error):
            self._outage.failed()
            self._say("silent", f"Recede: {why} Sending is tried again; recording goes on.")
            return True
        what = "does not accept the token" if error.status in _FORBIDDEN else "takes nothing more"
        self._say("refused", f"Recede: {self._client.url} {what}: {why} {self._by_hand()}")
        return False

    def _by_hand(self) -> str:
        return f"It stays in {self._folder}; `recede import {self._folder}` sends it later."
