"""The background work of the service: reporting stalls, giving up requests, sending notices."""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from recede.api.live import delivery
from recede.contract.errors import RecedeError
from recede.settings import Settings
from recede.store.database.clock import now
from recede.store.database.engine import Store
from recede.store.experiments import runs, serving
from recede.store.notices import stalls, webhooks

log = logging.getLogger("recede.web")

EVERY_S = 1.0


class Notices:
    """Looks once a second, in a thread beside those of the API; safe beside other services.

    `since` is when it began to look, by the database's clock.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self.since: float | None = None
        self._said = ""

    async def run(self) -> None:
        """Work until cancelled; a notice that is just being sent is recorded first."""
        while True:
            await asyncio.sleep(EVERY_S)
            await run_in_threadpool(self._try)

    def step(self) -> None:
        """Report new stalls, record what is to be sent, and send one of it."""
        if self.since is None:
            with self._store.write() as session:
                webhooks.adopt(session, self._settings.webhook)
                self.since = now(session)
        self._stalls()
        self._requests(self.since)
        self._collect()
        delivery.deliver(self._store, self._settings.url)

    def _try(self) -> None:
        try:
            self.step()
            self._said = ""
        except (RecedeError, SQLAlchemyError) as error:
            if str(error) != self._said:  # once, not every second
                log.warning("notices: %s", error)
            self._said = str(error)

    def _stalls(self) -> None:
        with self._store.read() as session:
            if not stalls.unreported(session):
                return
        with self._store.write() as session:
            stalled = stalls.report(session)
            if webhooks.get(session) is None:
                return
            at = now(session)
            for job in stalled:
                webhooks.add(session, "stalled", job, runs.get(session, job.run_id), moment=at)

    def _requests(self, since: float) -> None:
        """Give up cuts that nobody has come to measure."""
        with self._store.read() as session:
            if not serving.lapsed(session, since):
                return
        with self._store.write() as session:
            for job in serving.lapsed(session, since):
                serving.give_up(session, job)

    def _collect(self) -> None:
        with self._store.read() as session:
            if not webhooks.is_behind(session):
                return
        with self._store.write() as session:
            webhooks.collect(session)
