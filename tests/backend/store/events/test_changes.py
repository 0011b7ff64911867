"""Changes: a commit of somebody else ends the wait, silence does not."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from multiprocessing import Pipe

import pytest

from recede.store.database.engine import Store
from recede.store.events import log
from recede.store.events.changes import Changes

LONG_S = 60.0


@pytest.fixture
def changes(store: Store) -> Iterator[Changes]:
    made = Changes(store)
    assert made.wait(LONG_S)  # the first wait says at once that much may have happened before
    made.wait(0)
    yield made
    made.close()


def write(store: Store) -> None:
    with store.write() as session:
        log.append(session, "tick")


def test_silence_lasts_as_long_as_was_said(changes: Changes):
    assert not changes.wait(0.02)


def test_what_was_written_since_the_last_wait_ends_the_next_one(changes, store):
    write(store)
    assert changes.wait(LONG_S)
    assert not changes.wait(0.02)


def test_a_write_in_the_middle_of_a_wait_ends_it(changes, store):
    writer = threading.Timer(0.05, write, [store])
    writer.start()
    assert changes.wait(LONG_S)
    writer.join()


def test_looking_changes_nothing(changes, store):
    with store.read() as session:
        log.latest_id(session)
    assert not changes.wait(0.02)


def test_what_was_rolled_back_is_no_change(changes, store):
    with contextlib.suppress(ZeroDivisionError), store.write() as session:
        log.append(session, "tick")
        raise ZeroDivisionError
    assert not changes.wait(0.02)


def test_a_pipe_with_something_to_say_ends_the_wait(changes):
    ours, theirs = Pipe()
    theirs.send("done")
    assert changes.wait(LONG_S, [ours])
    ours.close()
    theirs.close()


def test_a_lost_connection_is_taken_up_again(changes, store):
    changes._connection.close()
    changes.wait(0.01)
    write(store)
    assert changes.wait(LONG_S)
    changes.wait(0)
    write(store)
    assert changes.wait(LONG_S)
