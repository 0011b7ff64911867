"""One cut that was asked for: measured, recorded, and answered in words where it cannot be."""

from __future__ import annotations

import time

from recede.contract.errors import RecedeError, words_of
from recede.contract.recorded.sent import CutAnswer, CutRequest
from recede.sdk.recording.journal import Journal
from recede.sdk.recording.lines import Answered
from recede.sdk.recording.reading import Recording
from recede.sdk.serving.curve import say, shown
from recede.sdk.serving.network import RecordedNetwork

MAX_WORDS = 1000


def answered(
    network: RecordedNetwork, recording: Recording, journal: Journal, request: CutRequest
) -> CutAnswer:
    """Measure exactly the cut that was asked for; one that was measured before is known.

    Raises:
        OSError: the disk is full or not writable.
    """
    cut = f"asked for: a cut of epoch {request.plan.epoch}"
    start = time.monotonic()
    try:
        value = _value(network, recording, request)
    except RecedeError as error:
        value = error
    seconds = time.monotonic() - start
    if isinstance(value, Exception):
        words = words_of(value)
        say(f"{cut}: not measured: {words}")
        return CutAnswer(digest=request.digest, error=words[:MAX_WORDS], seconds=seconds)
    say(f"{cut}: {shown(recording, value)} ({seconds:.1f} s)")
    assert request.plan.epoch is not None
    if (request.plan.epoch, request.digest) not in recording.values:
        line = Answered(
            at=time.time(),
            epoch=request.plan.epoch,
            plan=request.plan.model_dump(mode="json"),
            digest=request.digest,
            value=value,
            seconds=seconds,
        )
        journal.append(line)
        recording.advance()
    return CutAnswer(digest=request.digest, value=value, seconds=seconds)


def _value(
    network: RecordedNetwork, recording: Recording, request: CutRequest
) -> float | Exception:
    """What is known of the cut, or what `evaluate` says of it, or why it gives no number.

    Raises:
        RecedeError: the plan leads to other channels here, or the weights are gone.
    """
    epoch = request.plan.epoch
    if epoch not in recording.epochs or epoch not in recording.weights:
        raise RecedeError(f"The weights of epoch {epoch} were not kept.")
    selection = network.selection(request.plan)
    if selection.digest != request.digest:
        raise RecedeError(
            "The plan keeps other channels here than in the service.",
            hint="Use the same version of Recede on both sides.",
        )
    known = recording.values.get((epoch, request.digest))
    return network.tried(epoch, selection) if known is None else known
