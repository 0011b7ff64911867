"""The blocking client, for scripts, notebooks and the command line."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self, TypeVar

import httpx

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
    ApiError,
    refused,
    unreachable,
    unsendable,
)
from recede.client.sse import Event, Parser

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:8400"
TIMEOUT_S = 30.0
RECONNECT_S = 1.0
_CHUNK_BYTES = 1 << 20
_SLASHES = tuple(filter(None, (os.sep, os.altsep)))


class _Method(Generic[P, T]):
    """Turns the description of a call into a method that sends it."""

    def __init__(self, build: Callable[P, Call[T]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __get__(self, client: RecedeClient, _owner: type[Any]) -> Callable[P, T]:
        def send(*args: P.args, **kwargs: P.kwargs) -> T:
            return client.send(self._build(*args, **kwargs))

        send.__doc__ = self.__doc__
        return send


class RecedeClient:
    """A client for scripts and notebooks; every method raises ApiError when it is refused.

    `with RecedeClient() as client: client.create_run({"dataset": "digits", …})`
    """

    def __init__(
        self, url: str = DEFAULT_URL, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=self.url, transport=transport, timeout=TIMEOUT_S)

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
        try:
            request = self._http.build_request(
                call.method, call.path, params=call.params, json=call.json, headers=call.headers
            )
        except (TypeError, ValueError) as error:
            raise unsendable(error) from error
        try:
            response = self._http.send(request)
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

    def events(
        self, *, run_id: str | None = None, last_event_id: int | None = None
    ) -> Iterator[Event]:
        """Events as they happen, without end; a lost connection is taken up where it broke.

        `last_event_id` replays what came after it (0: all that is kept); None starts now.
        """
        parser = Parser(last_id=last_event_id)
        while True:
            try:
                yield from self._events_once(parser, run_id)
            except httpx.ConnectError as error:
                raise unreachable(self.url, error) from error
            except httpx.TransportError:
                pass
            parser = Parser(last_id=parser.last_id)
            time.sleep(RECONNECT_S)

    def _events_once(self, parser: Parser, run_id: str | None) -> Iterator[Event]:
        params = {} if run_id is None else {"run_id": run_id}
        headers = {} if parser.last_id is None else {"Last-Event-ID": str(parser.last_id)}
        with self._http.stream("GET", f"{API}/events", params=params, headers=headers) as response:
            if response.is_error:
                response.read()
                raise refused(response)
            for line in response.iter_lines():
                event = parser.feed(line)
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
                return _save(response, _target(target), on_progress)
        except httpx.TransportError as error:
            raise unreachable(self.url, error) from error


def _target(given: Path | str) -> Path:
    path = Path(given)
    if isinstance(given, str) and given.endswith(_SLASHES):
        path.mkdir(parents=True, exist_ok=True)
    return path


def _save(
    response: httpx.Response, target: Path, on_progress: Callable[[int], None] | None
) -> Path:
    disposition = response.headers.get("Content-Disposition", "")
    name = disposition.partition('filename="')[2].rstrip('"')
    path = target / Path(name or "checkpoint").name if target.is_dir() else target
    partial = path.with_name(path.name + ".part")
    digest = hashlib.sha256()
    with partial.open("wb") as file:
        for chunk in response.iter_bytes(_CHUNK_BYTES):
            digest.update(chunk)
            file.write(chunk)
            if on_progress is not None:
                on_progress(len(chunk))
    wanted = response.headers["ETag"].strip('"')
    if digest.hexdigest() != wanted:
        partial.unlink()
        raise ApiError(
            f"{path.name} arrived with SHA-256 {digest.hexdigest()}, wanted {wanted}.",
            status=response.status_code,
            code="damaged",
            hint="Download it again; if that does not help, prune again.",
        )
    return partial.replace(path)
