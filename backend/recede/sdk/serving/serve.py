"""`recede.serve`: cuts of a training that is over, measured by somebody's own `evaluate`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from torch import nn

from recede.client import RecedeClient
from recede.contract.addresses import check_url
from recede.contract.errors import Conflict
from recede.contract.recorded.sent import CutAnswer, CutRequest
from recede.sdk.network.masked import Evaluate
from recede.sdk.recording.journal import Journal
from recede.sdk.recording.reading import Recording
from recede.sdk.serving.answering import answered
from recede.sdk.serving.curve import Curves, epochs_of, say
from recede.sdk.serving.network import RecordedNetwork
from recede.sdk.serving.requests import Requests

LOOK_EVERY_S = 0.5
"""How long one wait for a request takes at most."""
_DONE = object()


def serve(
    folder: str | Path,
    model: nn.Module,
    evaluate: Evaluate,
    *,
    epochs: Sequence[int] | None = None,
    server: str | None = None,
    token: str | None = None,
    for_s: float | None = None,
) -> dict[int, dict[float, float]]:
    """Measure cuts of a recorded training, from the weights that it kept.

    First the curves. Each cut is a line of the recording as soon as it is measured. What is
    there already is not measured again, so that the same call goes on after Ctrl-C or a crash.
    Progress is written to the terminal.

    With a server, the recording is sent to it, and until Ctrl-C each cut that somebody asks for
    in Explore is measured, before what is left of the curves. Outages are waited out.

    Args:
        folder: what recede.watch recorded into.
        model: the network, built as the training did; its own weights do not matter and stay.
        evaluate: gives the recorded metric's value for a network, in evaluation mode and
            without gradients; it gets masked copies, on the model's device.
        epochs: whose curves; without it those of the best and the last.
        server: address of a service that shows the recording.
        token: sent with it as a bearer token.
        for_s: ends by itself after this many seconds, between two cuts.

    Returns:
        All points that are known of those curves: epoch → ratio of neurons removed → value.

    Raises:
        UnusableRecording: the folder holds no recording, or one that cannot be read.
        InvalidInput: the model is another network than the recorded one, or nothing was kept of
            which a cut could be measured.
        Conflict: a process writes into the folder, as its training does.
        EvaluateFailed: `evaluate` raised or gave no finite number, several times in a row.
        ApiError: the service refuses the recording.
    """
    until = time.monotonic() + (math.inf if for_s is None else for_s)
    recording = Recording(Path(folder).expanduser())
    network = RecordedNetwork(recording, model, evaluate)
    wanted = epochs_of(recording, epochs)
    url = None if server is None else check_url(server, "server")
    journal = _opened(recording)
    try:
        curves = Curves(network, recording, journal, wanted).measure()
        if url is None:
            _measure(curves, until)
        else:
            answer = partial(answered, network, recording, journal)
            with _listening(RecedeClient(url, token=token), recording.folder) as requests:
                _serve(requests, answer, curves, until)
    except KeyboardInterrupt:
        say("Stopped; the same call goes on where it was.")
    finally:
        journal.close()
    recording.advance()
    return {epoch: _values(recording, epoch) for epoch in wanted}


def _measure(curves: Iterator[None], until: float) -> None:
    """The curves, until they are whole or the time is over."""
    while time.monotonic() < until and next(curves, _DONE) is not _DONE:
        pass


def _serve(
    requests: Requests,
    answer: Callable[[CutRequest], CutAnswer],
    curves: Iterator[None],
    until: float,
) -> None:
    """What is asked for and, while nothing is, the curves; until the time is over."""
    whole = False
    while (left_s := until - time.monotonic()) > 0:
        request = requests.next(min(LOOK_EVERY_S, left_s) if whole else 0.0)
        if request is not None:
            requests.answer(request, answer(request))
        elif not whole:
            whole = next(curves, _DONE) is _DONE
            requests.wake()
            if whole:
                say("Ready: cuts that are asked for in Explore are measured. Ctrl-C ends it.")


@contextmanager
def _listening(client: RecedeClient, folder: Path) -> Iterator[Requests]:
    """Requests of a service, heard within."""
    requests = Requests(client, folder, say)
    requests.start()
    try:
        yield requests
    finally:
        requests.finish()


def _values(recording: Recording, epoch: int) -> dict[float, float]:
    found = recording.cuts.get(epoch, {})
    return {ratio: found[ratio].value for ratio in sorted(found)}


def _opened(recording: Recording) -> Journal:
    """The journal of the recording, and what was written until now; raises Conflict."""
    try:
        journal = Journal(recording.folder, measures=True)
    except Conflict as error:
        raise Conflict(
            f"Another process writes into {recording.folder}: its training, or one that measures.",
            hint="Wait until it has ended. Beside a training recede.watch(…, evaluate=…) measures "
            "cuts.",
        ) from error
    recording.advance()
    return journal
