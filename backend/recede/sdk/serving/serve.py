"""`recede.serve`: cuts of a training that is over, measured by somebody's own `evaluate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from recede.contract.errors import Conflict
from recede.sdk.network.masked import Evaluate
from recede.sdk.recording.journal import Journal
from recede.sdk.recording.reading import Recording
from recede.sdk.serving.curve import Curves, epochs_of, say
from recede.sdk.serving.network import RecordedNetwork


def serve(
    folder: str | Path,
    model: nn.Module,
    evaluate: Evaluate,
    *,
    epochs: Sequence[int] | None = None,
) -> dict[int, dict[float, float]]:
    """Measure the curves of a recorded training, from the weights that it kept.

    Each cut is a line of the recording as soon as it is measured. What is there already is not
    measured again, so that the same call goes on after Ctrl-C or a crash. Progress is written
    to the terminal.

    Args:
        folder: what recede.watch recorded into.
        model: the network, built as the training did; its own weights do not matter and stay.
        evaluate: gives the recorded metric's value for a network, in evaluation mode and
            without gradients; it gets masked copies, on the model's device.
        epochs: which ones; without it the best and the last.

    Returns:
        All that is known of those epochs: epoch → ratio of neurons removed → value.

    Raises:
        UnusableRecording: the folder holds no recording, or one that cannot be read.
        InvalidInput: the model is another network than the recorded one, or nothing was kept of
            which a cut could be measured.
        Conflict: a process writes into the folder, as its training does.
        EvaluateFailed: `evaluate` raised or gave no finite number, several times in a row.
    """
    recording = Recording(Path(folder).expanduser())
    network = RecordedNetwork(recording, model, evaluate)
    wanted = epochs_of(recording, epochs)
    journal = _opened(recording)
    try:
        for _ in Curves(network, recording, journal, wanted).measure():
            pass
    except KeyboardInterrupt:
        say("Stopped; the same call goes on where it was.")
    finally:
        journal.close()
    return {epoch: _values(recording, epoch) for epoch in wanted}


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
