"""Every request of the API as a method, listed once for the blocking and the async client."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

from recede.client.endpoints import (
    cuts,
    history,
    measuring,
    queue,
    saved,
    service,
    snippets,
    training,
)
from recede.client.endpoints.call import Call

P = ParamSpec("P")
T = TypeVar("T")


class Blocking:
    """A client that waits for each answer."""

    def send(self, call: Call[T]) -> T:
        """Send one described request and read its answer."""
        raise NotImplementedError


class Asynchronous:
    """A client whose answers are awaited."""

    async def send(self, call: Call[T]) -> T:
        """Send one described request and read its answer."""
        raise NotImplementedError


class Endpoint(Generic[P, T]):
    """One request of the API: on a client, the method that sends it.

    On a Blocking client the method returns the answer, on an Asynchronous one an awaitable.
    """

    def __init__(self, describe: Callable[P, Call[T]]) -> None:
        self.describe = describe
        self.__doc__ = describe.__doc__

    @overload
    def __get__(self, client: None, owner: type[Any]) -> Endpoint[P, T]: ...
    @overload
    def __get__(self, client: Blocking, owner: type[Any]) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: Asynchronous, owner: type[Any]) -> Callable[P, Awaitable[T]]: ...

    def __get__(
        self, client: Blocking | Asynchronous | None, owner: type[Any]
    ) -> Endpoint[P, T] | Callable[P, T] | Callable[P, Awaitable[T]]:
        if client is None:
            return self
        send: Callable[[Call[T]], T | Awaitable[T]] = client.send

        @functools.wraps(self.describe)
        def method(*args: P.args, **kwargs: P.kwargs) -> T | Awaitable[T]:
            return send(self.describe(*args, **kwargs))

        return cast("Callable[P, T]", method)


class ApiMethods:
    """The methods that both clients have."""

    health = Endpoint(service.health)
    catalog = Endpoint(service.catalog)
    workers = Endpoint(service.workers)
    metrics = Endpoint(service.metrics)
    webhook = Endpoint(service.webhook)
    set_webhook = Endpoint(service.set_webhook)
    remove_webhook = Endpoint(service.remove_webhook)
    test_webhook = Endpoint(service.test_webhook)

    create_run = Endpoint(training.create_run)
    check_run = Endpoint(training.check_run)
    runs = Endpoint(training.runs)
    run = Endpoint(training.run)
    update_run = Endpoint(training.update_run)
    delete_run = Endpoint(training.delete_run)
    cancel_run = Endpoint(training.cancel_run)
    resume_run = Endpoint(training.resume_run)
    protect_layers = Endpoint(training.protect_layers)
    create_group = Endpoint(training.create_group)
    groups = Endpoint(training.groups)
    group = Endpoint(training.group)
    cancel_group = Endpoint(training.cancel_group)
    delete_group = Endpoint(training.delete_group)

    begin_recording = Endpoint(training.begin_recording)
    recording = Endpoint(training.recording)
    put_recorded_epoch = Endpoint(training.put_recorded_epoch)
    put_recorded_cuts = Endpoint(training.put_recorded_cuts)
    set_recording_state = Endpoint(training.set_recording_state)
    serve_recording = Endpoint(training.serve_recording)
    stop_serving = Endpoint(training.stop_serving)
    answer_request = Endpoint(training.answer_request)

    epochs = Endpoint(history.epochs)
    network = Endpoint(history.network)
    snapshots = Endpoint(history.snapshots)
    snapshot = Endpoint(history.snapshot)
    polarisation = Endpoint(history.polarisation)
    histograms = Endpoint(history.histograms)
    layers = Endpoint(history.layers)
    layer_history = Endpoint(history.layer_history)
    layer_histograms = Endpoint(history.layer_histograms)

    preview = Endpoint(cuts.preview)
    evaluate = Endpoint(cuts.evaluate)
    prune = Endpoint(cuts.prune)
    solve = Endpoint(cuts.solve)
    fast_enough = Endpoint(cuts.fast_enough)
    latencies = Endpoint(cuts.latencies)
    measure_latency = Endpoint(cuts.measure_latency)

    curve = Endpoint(measuring.curve)
    measure_curve = Endpoint(measuring.measure_curve)
    evaluations = Endpoint(measuring.evaluations)
    scores = Endpoint(measuring.scores)
    compute_scores = Endpoint(measuring.compute_scores)
    prunability = Endpoint(measuring.prunability)
    comparison = Endpoint(measuring.comparison)

    plans = Endpoint(saved.plans)
    plan = Endpoint(saved.plan)
    save_plan = Endpoint(saved.save_plan)
    change_plan = Endpoint(saved.change_plan)
    delete_plan = Endpoint(saved.delete_plan)
    checkpoints = Endpoint(saved.checkpoints)
    checkpoint = Endpoint(saved.checkpoint)
    add_benches = Endpoint(saved.add_benches)
    benches = Endpoint(saved.benches)
    solve_benched = Endpoint(saved.solve_benched)
    bench_script = Endpoint(saved.bench_script)

    jobs = Endpoint(queue.jobs)
    job = Endpoint(queue.job)
    cancel_job = Endpoint(queue.cancel_job)
    log = Endpoint(queue.log)

    run_snippets = Endpoint(snippets.run_snippets)
    cut_snippets = Endpoint(snippets.cut_snippets)
