"""Events as the clients read them: what is skipped, and how a lost stream is taken up."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from httpx_sse import ServerSentEvent

from recede.client import ApiError, AsyncRecedeClient, Event, RecedeClient
from recede.client.events import Position

STREAM = {"Content-Type": "text/event-stream"}


def test_the_asynchronous_client_follows_events(live, finished):
    async def first() -> str:
        async with AsyncRecedeClient(live) as client:
            async for event in client.events(run_id=finished.id, last_event_id=0):
                return event.type
        raise AssertionError

    assert asyncio.run(first()) == "run"


def test_an_id_alone_and_a_heartbeat_are_no_events():
    position = Position()
    assert position.advance(ServerSentEvent(id="7", retry=1000)) is None
    assert position.headers == {"Last-Event-ID": "7"}
    assert position.advance(ServerSentEvent(id="7")) is None
    assert position.advance(ServerSentEvent("tick", '{"n": 1}', "8")) == Event(8, "tick", {"n": 1})
    assert position.last_id == 8


def test_a_lost_stream_is_taken_up_where_it_broke(monkeypatch):
    monkeypatch.setattr("recede.client.events.RECONNECT_S", 0)
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("Last-Event-ID"))
        number = len(asked)
        text = f'id: {number}\nevent: t\ndata: {{"n": {number}}}\n\nid: 9'
        return httpx.Response(200, text=text, headers=STREAM)

    with RecedeClient(transport=httpx.MockTransport(answer)) as client:
        source = client.events()
        assert [next(source).data["n"] for _ in range(3)] == [1, 2, 3]
    assert asked == [None, "1", "2"]


@pytest.mark.parametrize("text", ["two\u2028lines", "a\x85b", "\x0b"])
def test_only_line_feeds_end_a_line(text):
    sent = f"id: 1\nevent: t\ndata: {json.dumps({'text': text}, ensure_ascii=False)}\n\n"
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=sent, headers=STREAM))
    with RecedeClient(transport=transport) as client:
        assert next(client.events()).data["text"] == text


def test_another_service_at_the_address_is_recognised():
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, html="<p>Hello</p>")

    async def first() -> None:
        async with AsyncRecedeClient(transport=httpx.MockTransport(answer)) as client:
            await anext(client.events())

    blocking = RecedeClient(transport=httpx.MockTransport(answer))
    with blocking as client, pytest.raises(ApiError, match="no stream of events"):
        next(client.events())
    with pytest.raises(ApiError, match="no stream of events"):
        asyncio.run(first())
