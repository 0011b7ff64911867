"""Server-sent events over a real connection: live, replayed, filtered, ended with the service."""

from __future__ import annotations

import contextlib
import itertools
import json

import httpx
import pytest
from sqlalchemy import update

from recede.api.live.stream import format_event
from recede.client import Event, RecedeClient
from recede.store.database.engine import Store
from recede.store.events import log
from recede.store.tables.runs import EventRow
from tests.backend.conftest import serving
from tests.backend.store.samples import add_run


def tick(store: Store, *numbers: int, run_id: str | None = None) -> None:
    for number in numbers:
        with store.write() as session:
            log.append(session, "tick", run_id=run_id, data={"n": number})


def take(source, count: int) -> list[Event]:
    return list(itertools.islice(source, count))


def numbers(found: list[Event]) -> list[int]:
    return [event.data["n"] for event in found]


def test_everything_is_replayed_from_the_beginning(live, store):
    tick(store, 1, 2, 3)
    with RecedeClient(live) as client:
        found = take(client.events(last_event_id=0), 4)
    assert found[0].type == "worker"
    assert numbers(found[1:]) == [1, 2, 3]
    assert set(found[1].data) == {"run_id", "job_id", "created_at", "n"}


def test_what_came_after_an_id_is_replayed_and_then_goes_on_live(live, store):
    tick(store, 1, 2)
    with RecedeClient(live) as client:
        first = take(client.events(last_event_id=0), 2)[-1]
        source = client.events(last_event_id=first.id)
        assert numbers(take(source, 1)) == [2]
        tick(store, 3, 4)
        assert numbers(take(source, 2)) == [3, 4]


def test_without_an_id_a_stream_begins_now(live, store):
    tick(store, 1)
    with httpx.stream("GET", f"{live}/api/v1/events") as answer:
        lines = answer.iter_lines()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert next(lines) == "retry: 1000"  # the stream stands: what comes now is seen
        tick(store, 2)
        data = next(line for line in lines if line.startswith("data: "))
    assert '"n":2' in data


def test_without_an_id_what_happened_while_a_page_was_loaded_is_replayed(live, store):
    tick(store, 1)
    with store.write() as session:
        session.execute(update(EventRow).values(created_at=EventRow.created_at - 60))
    tick(store, 2)
    with httpx.stream("GET", f"{live}/api/v1/events?last_s=30") as answer:
        data = next(line for line in answer.iter_lines() if line.startswith("data: "))
    assert '"n":2' in data


def test_a_stream_of_one_run_holds_only_its_events(live, store):
    mine, _ = add_run(store)
    other, _ = add_run(store)
    with RecedeClient(live) as client:
        source = client.events(run_id=mine, last_event_id=0)
        assert [event.type for event in take(source, 2)] == ["run", "job"]
        tick(store, 1, run_id=other)
        tick(store, 2, run_id=mine)
        assert numbers(take(source, 1)) == [2]


def test_the_id_may_come_in_the_address(live, store):
    tick(store, 1)
    with httpx.stream("GET", f"{live}/api/v1/events?last_event_id=1") as answer:
        data = next(line for line in answer.iter_lines() if line.startswith("data: "))
    assert '"n":1' in data


def test_an_id_of_the_future_begins_now(live, store):
    with httpx.stream(
        "GET", f"{live}/api/v1/events", headers={"Last-Event-ID": "99999999999999"}
    ) as answer:
        lines = answer.iter_lines()
        next(lines)
        tick(store, 7)
        assert '"n":7' in next(line for line in lines if line.startswith("data: "))


@pytest.mark.parametrize("given", ["x", "-1", "1.5", "٣"])
def test_an_id_that_is_no_number_is_refused(http, given):
    answer = http.get("/api/v1/events", params={"last_event_id": given})
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "Last-Event-ID"


def test_many_listeners_share_the_events_in_order(live, store):
    with RecedeClient(live) as client:
        sources = [client.events(last_event_id=0) for _ in range(5)]
        for source in sources:
            take(source, 1)
        tick(store, *range(600))
        for source in sources:
            assert numbers(take(source, 600)) == list(range(600))


def test_a_stop_of_the_service_ends_open_streams(app):
    with contextlib.ExitStack() as stack:
        with serving(app) as url:
            stream = stack.enter_context(httpx.stream("GET", f"{url}/api/v1/events"))
            lines = stream.iter_lines()
            assert next(lines) == "retry: 1000"
        assert [line for line in lines if line.startswith("data")] == []


def test_numbers_that_json_does_not_know_become_null():
    row = EventRow(id=3, created_at=1.0, type="progress", run_id="r", job_id=2)
    row.data = {"loss": float("nan"), "text": "two\nlines"}
    data = format_event(row).partition("data: ")[2]
    assert json.loads(data)["loss"] is None
    assert json.loads(data)["text"] == "two\nlines"
