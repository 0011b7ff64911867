"""Stalls and the outbox on every database: each is told once, and claimed by one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from recede.contract.errors import Conflict
from recede.contract.states import Lane, State
from recede.store.database.engine import Store
from recede.store.events import log
from recede.store.experiments import runs
from recede.store.notices import stalls, webhooks
from recede.store.notices.webhooks import Outcome
from recede.store.queue.lease import claim, finish
from recede.store.tables.notices import DeliveryRow, StallRow
from recede.store.tables.runs import JobRow
from tests.backend.store.samples import add_run

URL = "http://127.0.0.1:9/"
THREADS = 4


def running(store: Store, silent_s: float = 0.0):
    add_run(store)
    with store.write() as session:
        lease = claim(session, owner="w", lanes=[Lane.TRAINING], device="cpu")
        assert lease is not None
        change = update(JobRow).where(JobRow.id == lease.job_id)
        session.execute(change.values(heartbeat_at=JobRow.heartbeat_at - silent_s))
    return lease


def ended(store: Store, count: int = 1) -> None:
    for _ in range(count):
        lease = running(store)
        with store.write() as session:
            finish(session, lease, State.SUCCEEDED)


def side_by_side(work) -> list:
    start = threading.Barrier(THREADS)

    def begin():
        start.wait()
        return work()

    with ThreadPoolExecutor(THREADS) as pool:
        return [done.result() for done in [pool.submit(begin) for _ in range(THREADS)]]


def test_a_stall_is_told_once_whoever_looks(store: Store):
    running(store)
    lease = running(store, silent_s=stalls.STALLED_AFTER_S + 1)

    def tell() -> list[int]:
        with store.write() as session:
            return [job.id for job in stalls.report(session)]

    assert [job for told in side_by_side(tell) for job in told] == [lease.job_id]
    with store.read() as session:
        told = [row for row in log.after(session, 0) if row.data.get("stalled")]
        assert [row.job_id for row in told] == [lease.job_id]
        assert told[0].data["stalled_s"] > stalls.STALLED_AFTER_S


def test_a_job_that_ends_or_is_deleted_stalls_no_more(store: Store):
    lease = running(store, silent_s=60)
    with store.write() as session:
        stalls.report(session)
        finish(session, lease, State.FAILED)
        assert stalls.unreported(session) == []
        runs.remove(session, lease.run_id)
    with store.read() as session:
        assert session.scalars(select(StallRow)).all() == []


def test_every_end_is_collected_and_claimed_once(store: Store):
    with store.write() as session:
        webhooks.put(session, URL)
    ended(store, 8)

    def work() -> list[int]:
        mine = []
        with store.write() as session:
            webhooks.collect(session)
        while True:
            with store.write() as session:
                row = webhooks.claim(session)
                if row is None:
                    return mine
                webhooks.record(session, row.id, row.attempts, Outcome(200))
                mine.append(row.id)

    shares = side_by_side(work)
    assert sum(map(len, shares)) == 8
    with store.read() as session:
        rows = session.scalars(select(DeliveryRow)).all()
        assert len({row.job_id for row in rows}) == len(rows) == 8
        assert not webhooks.is_behind(session)
        assert not webhooks.is_due(session)
        assert webhooks.count_waiting(session) == 0


def test_only_failures_that_may_pass_are_tried_again(store: Store):
    with store.write() as session:
        webhooks.put(session, URL)
    ended(store, 2)
    with store.write() as session:
        webhooks.collect(session)
        for outcome in (Outcome(500, "down", again=True), Outcome(404, "gone")):
            row = webhooks.claim(session)
            assert row is not None
            webhooks.record(session, row.id, row.attempts, outcome)
        assert webhooks.count_waiting(session) == 1
        last = webhooks.last_tried(session)
        assert last is not None
        assert (last.error, last.next_try_at) == ("gone", None)


def test_the_environment_goes_before_a_person_and_a_person_stays_without_it(store: Store):
    with store.write() as session:
        webhooks.put(session, URL)
        webhooks.adopt(session, None)
        assert webhooks.get(session) is not None  # a person's choice is kept
        webhooks.adopt(session, URL)
        for change in (lambda: webhooks.put(session, URL), lambda: webhooks.remove(session)):
            with pytest.raises(Conflict, match="RECEDE_WEBHOOK"):
                change()
        webhooks.adopt(session, None)
        assert webhooks.get(session) is None
