"""What bounded batch norm cannot take over of ordinary one: made up for, and reported."""

from __future__ import annotations

from recede.store.experiments import runs
from recede_worker.core.norms.adopt import Adopted
from recede_worker.engine.inputs.load import Data, Network
from recede_worker.engine.inputs.running_statistics import measure_again
from recede_worker.engine.job.handle import JobHandle

STATISTICS_IMAGES = 10_000
"""Training images on which running statistics are measured again."""


def restore_statistics(job: JobHandle, network: Network, data: Data, seed: int) -> None:
    """Measure the running statistics of what is left of the network, in place.

    Raises:
        Cancelled, Interrupted: the job should stop.
    """

    def report(done: int, total: int) -> None:
        job.check()
        job.progress("loading", done, total, "images", message="running statistics")

    measure_again(
        network.model,
        data.train,
        data.normalise,
        seed=seed,
        most=STATISTICS_IMAGES,
        report=report,
    )


def warn_of_losses(job: JobHandle, adopted: Adopted) -> None:
    """Warn of what bounded batch norm could not take over."""
    parts = []
    if adopted.clamped:
        parts.append(
            f"{adopted.clamped} of {adopted.channels} channels have a scale γ that is not between "
            "0 and 1; it was clamped"
        )
    if adopted.dropped_biases:
        parts.append(
            f"{adopted.dropped_biases} of {adopted.channels} have a β other than 0 (up to "
            f"{adopted.largest_bias:.3g}); bounded batch norm has none, so it was dropped"
        )
    message = (
        f"The network does not compute what its weights did: {'; '.join(parts)}. Its running "
        "statistics were measured again on training images."
    )
    hint = (
        "Epoch 0 shows the accuracy that is left; training restores it. Gates (scale: gate) take "
        "such weights over unchanged, and so does a method with ordinary batch norm."
    )
    warn(job, "clamped", message, hint)


def warn(job: JobHandle, code: str, message: str, hint: str) -> None:
    """A notice of epoch 0, and a line in the log."""
    job.log(message)
    with job.write() as session:
        runs.notice(session, job.run_id, code, message, hint=hint, epoch=0)
