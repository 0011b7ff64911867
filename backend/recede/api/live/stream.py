"""Server-sent events: one reader of the events table feeds every listener.

It reads when the store reports a write, so that events are out within milliseconds; and once a
second in any case, because a lost connection reports nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence

from pydantic_core import to_json
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from recede.contract.errors import RecedeError
from recede.store.database.engine import Store
from recede.store.events.changes import Changes
from recede.store.events.log import after, latest_id
from recede.store.tables.runs import EventRow

log = logging.getLogger("recede.web")

WAIT_S = 0.25
"""Longest wait in one piece: so long a stop of the service may take."""
READ_AFTER_S = 1.0
"""The table is read this often even if no change is reported."""
KEEP_ALIVE_S = 15.0
_PAGE = 500
_QUEUE = 2_000
"""Events that a slow listener may lag behind before it is disconnected, to resume by its id."""

Subscriber = asyncio.Queue[EventRow | None]


class EventHub:
    """Feeds listeners in one event loop; `close` may be called from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._subscribers: set[Subscriber] = set()
        self._position = 0
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    async def run(self) -> None:
        """Read and distribute while there are listeners, until cancelled."""
        self._loop = asyncio.get_running_loop()
        changes = Changes(self._store)
        try:
            while not self._closed:
                await self._wake.wait()
                rows = await run_in_threadpool(self._read)
                for row in rows:
                    self._position = row.id
                    self._distribute(row)
                if len(rows) < _PAGE:
                    await self._change(changes)
        finally:
            changes.close()

    async def _change(self, changes: Changes) -> None:
        for _ in range(round(READ_AFTER_S / WAIT_S)):
            if self._closed or await run_in_threadpool(changes.wait, WAIT_S):
                return

    def _read(self) -> Sequence[EventRow]:
        try:
            return self._after(self._position, None)
        except (RecedeError, SQLAlchemyError) as error:
            log.warning("events: %s", error)
            return []

    def close(self) -> None:
        """End every stream, so that the server can stop at once."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end_all)

    async def stream(
        self, run_id: str | None, last_id: int | None, last_s: float = 0.0
    ) -> AsyncIterator[str]:
        """The text of a stream: what came after `last_id`, then live.

        Without an id it begins with what came in the last `last_s` seconds.
        """
        queue, sent = await self._subscribe(last_id, last_s)
        try:
            yield f"retry: 1000\nid: {sent}\n\n"
            async for row in self._replay(run_id, sent):
                sent = row.id
                yield format_event(row)
            while (text := await self._next(queue, run_id, sent)) is not None:
                yield text
        finally:
            self._subscribers.discard(queue)
            if not self._subscribers:
                self._wake.clear()

    async def _subscribe(self, last_id: int | None, last_s: float) -> tuple[Subscriber, int]:
        latest, before = await run_in_threadpool(self._latest, last_s)
        queue: Subscriber = asyncio.Queue(_QUEUE)
        if self._closed:
            queue.put_nowait(None)
        if not self._subscribers:
            self._position = latest
        self._subscribers.add(queue)
        self._wake.set()
        return queue, before if last_id is None else min(last_id, latest)

    async def _replay(self, run_id: str | None, last_id: int) -> AsyncIterator[EventRow]:
        rows: Sequence[EventRow] = [EventRow(id=last_id)]
        while rows and not self._closed:
            rows = await run_in_threadpool(self._after, rows[-1].id, run_id)
            for row in rows:
                yield row

    async def _next(self, queue: Subscriber, run_id: str | None, sent: int) -> str | None:
        try:
            row = await asyncio.wait_for(queue.get(), KEEP_ALIVE_S)
        except TimeoutError:
            return ": keep-alive\n\n"
        if row is None:
            return None
        foreign = run_id is not None and row.run_id != run_id
        return "" if foreign or row.id <= sent else format_event(row)

    def _distribute(self, row: EventRow) -> None:
        for queue in list(self._subscribers):
            try:
                queue.put_nowait(row)
            except asyncio.QueueFull:
                self._end(queue)

    def _end(self, queue: Subscriber) -> None:
        self._subscribers.discard(queue)
        with contextlib.suppress(asyncio.QueueEmpty):
            queue.get_nowait()
        queue.put_nowait(None)

    def _end_all(self) -> None:
        self._closed = True
        self._wake.set()
        for queue in list(self._subscribers):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)

    def _after(self, event_id: int, run_id: str | None) -> Sequence[EventRow]:
        with self._store.read() as session:
            return after(session, event_id, run_id=run_id, limit=_PAGE)

    def _latest(self, last_s: float) -> tuple[int, int]:
        """Ids of the newest event, and of the newest one older than `last_s` seconds."""
        with self._store.read() as session:
            return latest_id(session), latest_id(session, older_than_s=last_s)


def format_event(row: EventRow) -> str:
    """One event as text of a stream."""
    data = {
        "run_id": row.run_id,
        "job_id": row.job_id,
        "created_at": row.created_at,
        **row.data,
    }
    text = to_json(data, inf_nan_mode="null").decode()  # browsers cannot read NaN
    return f"id: {row.id}\nevent: {row.type}\ndata: {text}\n\n"
