"""Networks that are asked about before a run is queued: who is answered first, what is kept."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from recede.contract.network.reach import NetworkRequest, Reach, Share
from recede.store.events import log
from recede.store.queue import reaches
from recede.store.tables.reaches import ReachRow

HALF = Share(params=0.5, macs=0.25)
REACH = Reach(inner=HALF, all=HALF)


def request(width: float) -> NetworkRequest:
    return NetworkRequest(
        architecture="tiny", params={"width": width}, in_channels=1, image_size=8, classes=10
    )


def age(store, one: NetworkRequest, seconds: float, *names: str) -> None:
    """Make times of a row older."""
    values = {name: getattr(ReachRow, name) - seconds for name in names}
    with store.write() as session:
        session.execute(update(ReachRow).where(ReachRow.key == one.key).values(values))


@pytest.fixture
def asked(store):
    """Two networks, the wider one asked about last."""
    narrow, wide = request(0.5), request(1.0)
    with store.write() as session:
        for one in (narrow, wide):
            assert reaches.is_due(session, one)
            reaches.ask(session, one)
            assert not reaches.is_due(session, one)
    age(store, narrow, 1, "asked_at")
    return narrow, wide


def test_the_network_that_was_asked_about_last_comes_first(store, asked):
    narrow, wide = asked
    for one in (wide, narrow):
        with store.write() as session:
            assert reaches.next_question(session) == one
            reaches.answer(session, one, reach=REACH)
    with store.read() as session:
        assert reaches.next_question(session) is None
        assert Reach.model_validate(reaches.known(session, wide).reach) == REACH
        events = [row for row in log.after(session, 0) if row.type == "reach"]
    assert [row.data["key"] for row in events] == [wide.key, narrow.key]


def test_an_old_answer_is_shown_while_it_is_looked_for_again(store, asked):
    _, wide = asked
    with store.write() as session:
        reaches.answer(session, wide, reach=REACH)
        assert not reaches.is_due(session, wide)
    age(store, wide, reaches.FRESH_S + 1, "answered_at")
    with store.write() as session:
        assert reaches.is_due(session, wide)
        reaches.ask(session, wide)
        assert reaches.next_question(session) == wide
        assert reaches.known(session, wide).reach is not None


def test_a_question_that_nobody_repeats_is_dropped_and_one_that_is_repeated_comes_back(
    store, asked
):
    narrow, wide = asked
    for one in asked:
        age(store, one, reaches.WAITS_S + 1, "asked_at")
    with store.write() as session:
        assert reaches.next_question(session) is None
        assert reaches.is_due(session, narrow)
        reaches.ask(session, narrow)
        assert reaches.next_question(session) == narrow
        assert reaches.known(session, wide) is not None
