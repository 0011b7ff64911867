"""The blocking client, for scripts, notebooks and the command line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import httpx
from httpx_sse import SSEError, connect_sse

from recede.client import events
from recede.client.downloads import save, target_path
from recede.client.endpoints.call import API, Call
from recede.client.endpoints.errors import no_events, refused, unreachable
from recede.client.events import Event, Position
from recede.client.methods import ApiMethods, Blocking

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:8400"
TIMEOUT_S = 30.0


class RecedeClient(ApiMethods, Blocking):
    """A client for scripts and notebooks; every method raises ApiError when it is refused.

    `with RecedeClient() as client: client.create_run({"dataset": …, "architecture": …, …})`
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        token: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`token` is sent as a bearer token, for a service behind a proxy that asks for one."""
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else None
        self._http = httpx.Client(
            base_url=self.url, transport=transport, timeout=TIMEOUT_S, headers=headers
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, call: Call[T]) -> T:
        """Send one described request and read its answer."""
        request = call.request(self._http)
        try:
            response = self._http.send(request)
        except httpx.TransportError as error:
            raise unreachable(self.url, error) from error
        return call.answer(response)

    def events(
        self, *, run_id: str | None = None, last_event_id: int | None = None
    ) -> Iterator[Event]:
        """Events as they happen, without end; a lost connection is taken up where it broke.

        `last_event_id` replays what came after it (0: all that is kept); None starts now.
        """
        position = Position(run_id, last_event_id)
        while True:
            try:
                yield from self._events_once(position)
            except SSEError as error:
                raise no_events(self.url, error) from error
            except httpx.ConnectError as error:
                raise unreachable(self.url, error) from error
            except httpx.TransportError:
                pass
            time.sleep(events.RECONNECT_S)

    def _events_once(self, position: Position) -> Iterator[Event]:
        with connect_sse(
            self._http, "GET", events.PATH, params=position.params, headers=position.headers
        ) as source:
            if source.response.is_error:
                source.response.read()
                raise refused(source.response)
            for sent in source.iter_sse():
                event = position.advance(sent)
                if event is not None:
                    yield event

    def download(
        self,
        checkpoint_id: str,
        target: Path | str,
        *,
        format: str = "safetensors",  # noqa: A002 - the API's word
        on_progress: Callable[[int], None] | None = None,
    ) -> Path:
        """Save a file of a checkpoint and verify its SHA-256.

        `target` is the file, or a folder in which it gets the service's name for it; text
        that ends with a slash is a folder, which is made. Nothing is left at the target
        unless the hash is right.
        """
        path = f"{API}/checkpoints/{checkpoint_id}/download"
        try:
            with self._http.stream("GET", path, params={"format": format}) as response:
                if response.is_error:
                    response.read()
                    raise refused(response)
                return save(response, target_path(target), on_progress)
        except httpx.TransportError as error:
            raise unreachable(self.url, error) from error
