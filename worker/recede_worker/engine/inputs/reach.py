"""How much of a network can go, found out before a run of it is queued."""

from __future__ import annotations

from recede.contract.errors import RecedeError, UnknownName
from recede.contract.network.reach import NetworkRequest, Reach
from recede.store.database.engine import WORKER_BUSY_TIMEOUT_S, open_store
from recede.store.queue import reaches
from recede_worker.engine.inputs.run import findings_folder
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.networks.tracing import TracingOptions, tracing_with
from recede_worker.plugins import registry


def answer(settings: WorkerSettings, request: NetworkRequest) -> None:
    """Find it out and keep the answer in the store, or why nothing of the network can be cut."""
    store = open_store(settings.store_url, busy_timeout_s=WORKER_BUSY_TIMEOUT_S)
    try:
        try:
            reach, refused = found(settings, request), None
        except RecedeError as error:
            reach, refused = None, error.message
        with store.write() as session:
            reaches.answer(session, request, reach=reach, refused=refused)
    finally:
        store.close()


def found(settings: WorkerSettings, request: NetworkRequest) -> Reach:
    """How much of the network can go.

    Raises:
        InvalidInput: it cannot be built, or nothing of it can be cut.
        UnknownName: there is no such network here.
        LimitReached: tracing it took too much memory or time, or crashed.
    """
    options = TracingOptions(folder=findings_folder(settings), limits=settings.trace_limits)
    with tracing_with(options):
        known = registry.architectures(settings.networks)
        if request.architecture not in known:
            raise UnknownName("network", request.architecture, known, field="architecture")
        return known[request.architecture].reach(
            request.in_channels, request.classes, request.image_size, request.params
        )
