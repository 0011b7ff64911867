"""What a thread that sends does while a service is away: it tries again, in growing pauses."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event

from recede.client import ApiError
from recede.sdk.sending.delivery import TooOld

_MOST_DOUBLINGS = 10


def may_pass(error: ApiError) -> bool:
    """Whether the service may answer later: it is away, or busy."""
    return error.status == 0 or (error.status >= 500 and not isinstance(error, TooOld))


@dataclass
class Outage:
    """How often in a row a service did not answer, and how long to wait because of that."""

    pause_s: float
    longest_s: float
    failures: int = 0

    def failed(self) -> None:
        """It did not answer once more."""
        self.failures = min(self.failures + 1, _MOST_DOUBLINGS)

    def over(self) -> None:
        """It answers."""
        self.failures = 0

    def wait(self, woken: Event, ending: Event) -> None:
        """Until there is something new or the pause is over; news do not bring a service back."""
        waiting = ending if self.failures else woken
        waiting.wait(min(self.longest_s, self.pause_s * 2**self.failures))
