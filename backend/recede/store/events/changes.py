"""Hears of commits to the store at once, without reading a table.

SQLite counts the commits of others (`PRAGMA data_version`), which a connection learns in some
microseconds; PostgreSQL notifies its listeners. So a queue is served within milliseconds, and a
store at rest costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from multiprocessing.connection import wait
from typing import Any

from sqlalchemy.exc import DBAPIError

from recede.store.database.engine import Store
from recede.store.events.log import CHANNEL

LOOK_S, CALM_LOOK_S = 0.008, 0.025
"""Between two looks at SQLite's counter; the longer one spares a machine at rest."""
CALM_AFTER_S = 5.0


class Changes:
    """Waits for commits of others; of one thread at a time. A hint, not a promise.

    A lost connection is taken up again by itself; meanwhile `wait` ends at its time limit. So
    look at the store after every wait now and then, whatever it says.
    """

    def __init__(self, store: Store) -> None:
        self._engine = store.engine
        self._sqlite = store.dialect == "sqlite"
        self._connection: Any = None
        self._seen = 0
        self._changed_at = 0.0

    def wait(self, timeout_s: float, also: Sequence[Any] = ()) -> bool:
        """Wait for a commit; True if there may have been one, False after the time.

        `also` are pipes and sentinels of processes that end the wait, as True, when they have
        something to say.
        """
        try:
            if self._connection is None:
                self._open()
                return True  # what came before is not known
            return self._count(timeout_s, also) if self._sqlite else self._listen(timeout_s, also)
        except self._lost:
            self.close()
            if also:
                return bool(wait(also, timeout_s))
            time.sleep(timeout_s)
            return False

    def close(self) -> None:
        """Release the connection; the next wait opens one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> None:
        pooled = self._engine.raw_connection()
        self._connection = pooled.driver_connection
        pooled.detach()  # it is ours, not the pool's, for as long as we wait
        if self._sqlite:
            self._seen = self._version()
        else:
            self._connection.rollback()
            self._connection.autocommit = True
            self._connection.execute(f"LISTEN {CHANNEL}")

    def _count(self, timeout_s: float, also: Sequence[Any]) -> bool:
        deadline = time.monotonic() + timeout_s
        while True:
            now = time.monotonic()
            before, self._seen = self._seen, self._version()
            if before != self._seen:
                self._changed_at = now
                return True
            if now >= deadline:
                return False
            look_s = CALM_LOOK_S if now - self._changed_at > CALM_AFTER_S else LOOK_S
            if not also:
                time.sleep(min(look_s, deadline - now))
            elif wait(also, min(look_s, deadline - now)):
                return True

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _listen(self, timeout_s: float, also: Sequence[Any]) -> bool:
        notified = bool(wait([self._connection.fileno(), *also], timeout_s))
        for _ in self._connection.notifies(timeout=0):
            notified = True
        return notified

    @property
    def _lost(self) -> tuple[type[Exception], ...]:
        """Errors of which the database, not our code, is the reason."""
        driver = getattr(self._engine.dialect.loaded_dbapi, "Error", DBAPIError)
        return DBAPIError, OSError, driver
