"""The asynchronous client: the dashboard's, in-process or over the network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self, TypeVar

import httpx
from httpx_sse import SSEError, aconnect_sse

from recede.client import events
from recede.client.blocking import DEFAULT_URL, TIMEOUT_S
from recede.client.endpoints.call import Call
from recede.client.endpoints.errors import no_events, refused, unreachable
from recede.client.events import Event, Position
from recede.client.methods import ApiMethods, Asynchronous

T = TypeVar("T")


class AsyncRecedeClient(ApiMethods, Asynchronous):
    """The methods of RecedeClient, to be awaited; give an ASGITransport to stay in-process."""

    def __init__(
        self, url: str = DEFAULT_URL, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.AsyncClient(base_url=self.url, transport=transport, timeout=TIMEOUT_S)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(self, call: Call[T]) -> T:
        """Send one described request and read its answer."""
        request = call.request(self._http)
        try:
            response = await self._http.send(request)
        except httpx.TransportError as error:
            raise unreachable(self.url, error) from error
        return call.answer(response)

    async def events(
        self, *, run_id: str | None = None, last_event_id: int | None = None
    ) -> AsyncIterator[Event]:
        """Events as they happen, without end; a lost connection is taken up where it broke.

        `last_event_id` replays what came after it (0: all that is kept); None starts now.
        Not over an in-process ASGITransport, which waits for the end of every answer.
        """
        position = Position(run_id, last_event_id)
        while True:
            try:
                async for event in self._events_once(position):
                    yield event
            except SSEError as error:
                raise no_events(self.url, error) from error
            except httpx.ConnectError as error:
                raise unreachable(self.url, error) from error
            except httpx.TransportError:
                pass
            await asyncio.sleep(events.RECONNECT_S)

    async def _events_once(self, position: Position) -> AsyncIterator[Event]:
        async with aconnect_sse(
            self._http, "GET", events.PATH, params=position.params, headers=position.headers
        ) as source:
            if source.response.is_error:
                await source.response.aread()
                raise refused(source.response)
            async for sent in source.aiter_sse():
                event = position.advance(sent)
                if event is not None:
                    yield event
