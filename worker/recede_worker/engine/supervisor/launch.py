"""What the supervisor starts processes with. They import torch; the supervisor never does.

It would only cost memory there, and seconds until the first job.
"""

from __future__ import annotations

import signal
from multiprocessing.connection import Connection

from recede.contract.errors import RecedeError
from recede.contract.network.reach import NetworkRequest
from recede.contract.states import JobKind
from recede.store.queue import lease as leases
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.engine.supervisor.messages import Offer, Unusable
from recede_worker.process.lifetime import end_with_parent

PRELOADED = (
    "recede_worker.engine.supervisor.warm_process",
    "recede_worker.plugins.catalog",
    "recede_worker.plugins.preload",
)
"""For the server that forks these processes: what they import."""


def job(settings: WorkerSettings, lease: leases.Lease) -> None:
    """Run one claimed job to its end."""
    from recede_worker.engine.supervisor import entry  # noqa: PLC0415 - imports torch

    entry.main(settings, lease)


def warm_process(
    settings: WorkerSettings, kinds: tuple[JobKind, ...], supervisor: Connection
) -> None:
    """Do the interactive jobs that the supervisor sends, one after the other."""
    from recede_worker.engine.supervisor import warm_process as warm  # noqa: PLC0415 - imports torch

    warm.main(settings, kinds, supervisor)


def reach(settings: WorkerSettings, request: NetworkRequest) -> None:
    """Find out how much of a network can go, and keep the answer in the store."""
    from recede_worker.engine.inputs.reach import answer  # noqa: PLC0415 - imports torch

    end_with_parent("the worker that started this process")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's ctrl-C reaches us all
    answer(settings, request)


def catalog(settings: WorkerSettings, supervisor: Connection) -> None:
    """Send what can be trained here now, and again after each message.

    Imports the user's own networks and asks CUDA for its devices.
    """
    from recede_worker.engine.inputs.load import versions  # noqa: PLC0415 - imports torch
    from recede_worker.plugins.catalog import build_catalog  # noqa: PLC0415 - imports torch

    end_with_parent("the worker that started this process")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's ctrl-C reaches us all
    while True:
        answer: Offer | Unusable
        try:
            answer = Offer(build_catalog(settings.roots, settings.networks), versions())
        except RecedeError as error:
            answer = Unusable(error)
        try:
            supervisor.send(answer)
            supervisor.recv()
        except (EOFError, OSError):
            return  # the supervisor is gone
