"""Events: their order is that of the commits, readers miss none, old ones are dropped."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from recede.store.database.engine import Store
from recede.store.events import log
from tests.backend.store.samples import add_run


def append(store: Store, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        with store.write() as session:
            log.append(session, "tick", data={"n": number})


def test_readers_get_what_came_after_an_id_in_order(store: Store):
    append(store, 5)
    with store.read() as session:
        everything = log.after(session, 0)
        rest = log.after(session, everything[2].id)
        limited = log.after(session, 0, limit=2)
    assert [row.data["n"] for row in everything] == [0, 1, 2, 3, 4]
    assert [row.data["n"] for row in rest] == [3, 4]
    assert len(limited) == 2


def test_events_of_one_run(store: Store):
    mine, _ = add_run(store)
    add_run(store)
    with store.read() as session:
        assert {row.run_id for row in log.after(session, 0, run_id=mine)} == {mine}


def test_trimming_keeps_the_newest_and_ids_go_on_growing(store: Store):
    append(store, 6)
    with store.write() as session:
        log.trim(session, keep=2)
    with store.read() as session:
        left = log.after(session, 0)
        latest = log.latest_id(session)
    assert [row.data["n"] for row in left] == [4, 5]
    with store.write() as session:
        log.trim(session, keep=0)
    append(store, 1)
    with store.read() as session:
        assert log.latest_id(session) > latest


def test_a_reader_who_follows_the_ids_misses_no_event_of_many_writers(store: Store):
    seen: list[int] = []
    last = 0
    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(append, store, 25, 100 * worker) for worker in range(4)]
        while True:
            ended = all(writer.done() for writer in writers)
            with store.read() as session:
                rows = log.after(session, last)
            seen += [row.data["n"] for row in rows]
            last = rows[-1].id if rows else last
            if ended and not rows:
                break
        for writer in writers:
            writer.result()  # a writer that failed says why
    assert sorted(seen) == sorted(100 * w + n for w in range(4) for n in range(25))


def test_a_transaction_that_fails_leaves_no_event(store: Store):
    class Stop(Exception):
        pass

    try:
        with store.write() as session:
            log.append(session, "tick")
            raise Stop
    except Stop:
        pass
    with store.read() as session:
        assert log.latest_id(session) == 0
