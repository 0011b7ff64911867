"""The asynchronous client: the dashboard's, in-process or over the network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self, TypeVar

import httpx

from recede.client.blocking import (
    DEFAULT_URL,
    RECONNECT_S,
    TIMEOUT_S,
)
from recede.client.endpoints import (
    curves,
    maps,
    notices,
    targets,
)
from recede.client.endpoints import (
    groups as group_calls,
)
from recede.client.endpoints import (
    latencies as latency_calls,
)
from recede.client.endpoints import (
    layers as layer_calls,
)
from recede.client.endpoints import (
    plans as plan_calls,
)
from recede.client.endpoints import (
    runs as calls,
)
from recede.client.endpoints.call import API, Call
from recede.client.errors import (
    refused,
    unreachable,
    unsendable,
)
from recede.client.sse import Event, Parser

P = ParamSpec("P")
T = TypeVar("T")


class _Method(Generic[P, T]):
    """Turns the description of a call into a method that sends it."""

    def __init__(self, build: Callable[P, Call[T]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __get__(self, client: AsyncRecedeClient, _owner: type[Any]) -> Callable[P, Awaitable[T]]:
        async def send(*args: P.args, **kwargs: P.kwargs) -> T:
            return await client.send(self._build(*args, **kwargs))

        send.__doc__ = self.__doc__
        return send


class AsyncRecedeClient:
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
        try:
            request = self._http.build_request(
                call.method, call.path, params=call.params, json=call.json, headers=call.headers
            )
        except (TypeError, ValueError) as error:
            raise unsendable(error) from error
        try:
            response = await self._http.send(request)
        except httpx.TransportError as error:
            raise unreachable(self.url, error) from error
        if response.is_error:
            raise refused(response)
        return call.read(response)

    health = _Method(calls.health)
    catalog = _Method(calls.catalog)
    workers = _Method(calls.workers)
    metrics = _Method(calls.metrics)
    create_run = _Method(calls.create_run)
    check_run = _Method(calls.check_run)
    runs = _Method(calls.runs)
    run = _Method(calls.run)
    update_run = _Method(calls.update_run)
    delete_run = _Method(calls.delete_run)
    cancel_run = _Method(calls.cancel_run)
    resume_run = _Method(calls.resume_run)
    create_group = _Method(group_calls.create_group)
    groups = _Method(group_calls.groups)
    group = _Method(group_calls.group)
    cancel_group = _Method(group_calls.cancel_group)
    delete_group = _Method(group_calls.delete_group)
    epochs = _Method(calls.epochs)
    network = _Method(calls.network)
    snapshots = _Method(calls.snapshots)
    snapshot = _Method(calls.snapshot)
    histograms = _Method(calls.histograms)
    polarisation = _Method(calls.polarisation)
    layers = _Method(layer_calls.layers)
    layer_history = _Method(layer_calls.layer_history)
    layer_histograms = _Method(layer_calls.layer_histograms)
    preview = _Method(calls.preview)
    evaluate = _Method(calls.evaluate)
    solve = _Method(targets.solve)
    fast_enough = _Method(targets.fast_enough)
    scores = _Method(targets.scores)
    compute_scores = _Method(targets.compute_scores)
    protect_layers = _Method(targets.protect_layers)
    latencies = _Method(latency_calls.latencies)
    measure_latency = _Method(latency_calls.measure_latency)
    curve = _Method(curves.curve)
    measure_curve = _Method(curves.measure_curve)
    evaluations = _Method(curves.evaluations)
    prune = _Method(calls.prune)
    prunability = _Method(maps.prunability)
    comparison = _Method(maps.comparison)
    checkpoints = _Method(calls.checkpoints)
    checkpoint = _Method(calls.checkpoint)
    jobs = _Method(calls.jobs)
    job = _Method(calls.job)
    cancel_job = _Method(calls.cancel_job)
    log = _Method(calls.log)
    plans = _Method(plan_calls.plans)
    plan = _Method(plan_calls.plan)
    save_plan = _Method(plan_calls.save_plan)
    change_plan = _Method(plan_calls.change_plan)
    delete_plan = _Method(plan_calls.delete_plan)
    webhook = _Method(notices.webhook)
    set_webhook = _Method(notices.set_webhook)
    remove_webhook = _Method(notices.remove_webhook)
    test_webhook = _Method(notices.test_webhook)

    async def events(
        self, *, run_id: str | None = None, last_event_id: int | None = None
    ) -> AsyncIterator[Event]:
        """Events as they happen, without end; a lost connection is taken up where it broke.

        `last_event_id` replays what came after it (0: all that is kept); None starts now.
        Not over an in-process ASGITransport, which waits for the end of every answer.
        """
        parser = Parser(last_id=last_event_id)
        while True:
            try:
                async for event in self._events_once(parser, run_id):
                    yield event
            except httpx.ConnectError as error:
                raise unreachable(self.url, error) from error
            except httpx.TransportError:
                pass
            parser = Parser(last_id=parser.last_id)
            await asyncio.sleep(RECONNECT_S)

    async def _events_once(self, parser: Parser, run_id: str | None) -> AsyncIterator[Event]:
        params = {} if run_id is None else {"run_id": run_id}
        headers = {} if parser.last_id is None else {"Last-Event-ID": str(parser.last_id)}
        async with self._http.stream(
            "GET", f"{API}/events", params=params, headers=headers
        ) as response:
            if response.is_error:
                await response.aread()
                raise refused(response)
            async for line in response.aiter_lines():
                event = parser.feed(line)
                if event is not None:
                    yield event
