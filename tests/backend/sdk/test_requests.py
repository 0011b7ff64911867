"""recede.serve(…, server=…) and run.serve(): exactly the cut that is asked for is measured."""

from __future__ import annotations

import shutil
import threading

import httpx
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import recede
from recede.cli import app as command
from recede.client import ApiError, RecedeClient
from recede.contract.spec.run import Plan
from recede.contract.states import State
from recede.sdk.network.masked import ALL
from recede.sdk.recording.reading import Recording
from recede.sdk.serving.requests import Requests
from tests.backend.conftest import BASE, InProcess
from tests.backend.sdk.watched import Small, Training, images
from tests.worker_process import eventually


def output(model) -> float:
    return float(model(images()).sum().detach())


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    """Requests are looked for at once."""
    monkeypatch.setitem(Requests.__init__.__kwdefaults__, "pause_s", 0.02)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The folder of a training of two epochs, and its network of the second."""
    folder = tmp_path_factory.mktemp("recorded") / "birds"
    training = Training()
    metric = recede.Metric(name="score", unit="dB")
    with recede.watch(training.model, images(), folder=folder, metric=metric) as run:
        for epoch in (1, 2):
            training.epoch()
            run.log(epoch, score=epoch)
    return folder, training.model.eval()


@pytest.fixture(scope="module")
def exact(recorded) -> Plan:
    """A plan that no curve has: about half of one layer goes, the other stays."""
    folder, _ = recorded
    threshold = float(np.median(Recording(folder).scales(2)[8:]))
    return Plan(epoch=2, threshold=threshold, locks=("body.0",), round_to=4, bias="fold")


@pytest.fixture
def folder(recorded, tmp_path):
    return shutil.copytree(recorded[0], tmp_path / "birds")


class InAThread(threading.Thread):
    """A call beside the test, joined at its end; its result, or what it raised."""

    def __init__(self, call) -> None:
        super().__init__(daemon=True)
        self._call = call
        self.result = self.error = None

    def run(self) -> None:
        try:
            self.result = self._call()
        except BaseException as error:  # noqa: BLE001 - whatever ends it
            self.error = error

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        if kind is None:  # else what the test raised is told at once, and alone
            self.join(60)
            assert not self.is_alive()


class Evaluate:
    """`evaluate` that counts, and is interrupted, as by Ctrl-C, once it should stop."""

    def __init__(self) -> None:
        self.n = 0
        self.stopping = False
        self.failing = False

    def __call__(self, model) -> float:
        if self.stopping:
            raise KeyboardInterrupt
        self.n += 1
        return float("nan") if self.failing else output(model)


def served(service, folder) -> str:
    """The run, once cuts of it can be measured."""

    def look() -> str | None:
        runs = service.runs().items
        return runs[0].id if runs and runs[0].recording.serving else None

    return eventually(look, "a process that measures")


def measured(service, run_id, plan):
    """What was measured on request."""
    job = service.evaluate(run_id, plan).job
    eventually(lambda: service.job(job.id).state.is_final, "the answer")
    return service.job(job.id)


def test_exactly_the_cut_that_was_asked_for_is_measured(live, folder, recorded, exact):
    evaluate = Evaluate()
    call = InAThread(lambda: recede.serve(folder, Small(), evaluate, epochs=[], server=live))
    with RecedeClient(live) as service, call:
        run_id = served(service, folder)
        assert service.run(run_id).recording.serving == [0, 1, 2]
        assert measured(service, run_id, exact).state is State.SUCCEEDED
        found = service.evaluate(run_id, exact).evaluation
        wanted = recede.cut(recorded[1], images(), exact)
        assert found.accuracy.value == pytest.approx(output(wanted), rel=1e-4)
        assert found.cost.params == sum(one.numel() for one in wanted.parameters())
        assert found.ratio == 4 / 20  # of 12 channels about 6 fall under it, and 8 are kept
        assert (evaluate.n, found.accuracy.n) == (1, 0)
        evaluate.failing = True
        failed = measured(service, run_id, Plan(epoch=1, ratio=0.3))
        assert "a finite number is wanted" in failed.error.message
        evaluate.stopping = True
        stopped = measured(service, run_id, Plan(epoch=1, ratio=0.4))
        assert stopped.error.code == "nobody_measures"
        assert service.run(run_id).recording.serving is None
    assert (call.result, call.error) == ({}, None)
    assert Recording(folder).values == {(2, found.digest): found.accuracy.value}
    printed = CliRunner(env={"RECEDE_URL": live}).invoke(
        command,
        ["evaluate", run_id, "--epoch", "2", "--threshold", str(exact.threshold),
         "--lock", "body.0", "--round-to", "4", "--bias", "fold"],
    )  # fmt: skip
    assert printed.exit_code == 0, printed.output
    assert "metric, which has no interval" in " ".join(printed.output.split())


def test_the_curve_arrives_and_is_not_measured_again(live, folder):
    evaluate = Evaluate()
    call = InAThread(lambda: recede.serve(folder, Small(), evaluate, epochs=[2], server=live))
    with RecedeClient(live) as service, call:
        run_id = served(service, folder)
        eventually(lambda: len(service.curve(run_id).values) == len(ALL), "the curve")
        assert service.evaluate(run_id, Plan(epoch=2, ratio=0.5)).evaluation is not None
        assert evaluate.n == len(ALL)
        evaluate.stopping = True
        measured(service, run_id, Plan(epoch=1, ratio=0.5))
    assert sorted(call.result[2]) == sorted(ALL)


def test_another_service_gets_what_was_measured_before(live, folder, exact):
    evaluate = Evaluate()
    with RecedeClient(live) as service:
        for _ in range(2):
            evaluate.stopping = False
            call = InAThread(
                lambda: recede.serve(folder, Small(), evaluate, epochs=[], server=live)
            )
            with call:
                run_id = served(service, folder)
                assert measured(service, run_id, exact).state is State.SUCCEEDED
                evaluate.stopping = True
                measured(service, run_id, Plan(epoch=1, ratio=0.5))
            service.delete_run(run_id)  # it knows nothing of it any more
    assert evaluate.n == 1
    assert len(Recording(folder).values) == 1


def test_a_run_serves_with_the_evaluate_that_it_was_watched_with(live, tmp_path):
    training, evaluate = Training(), Evaluate()
    metric = recede.Metric(name="accuracy", n=16)

    def right(model) -> float:
        evaluate(model)
        return float((model(images()).argmax(1) == torch.arange(16) % 3).double().mean())

    run = recede.watch(
        training.model, images(), folder=tmp_path, metric=metric, evaluate=right, curve_s=0,
        server=live,
    )  # fmt: skip
    training.epoch()
    with torch.no_grad():  # the curve begins with the first layer, which the plan locks
        training.model.body[1].weight.mul_(0.1)
    run.log(1, accuracy=0.5)
    call = InAThread(run.serve)
    with RecedeClient(live) as service, call:
        run_id = served(service, tmp_path)
        assert service.run(run_id).state is State.SUCCEEDED
        plan = Plan(epoch=1, ratio=0.33, locks=("body.0",))
        assert measured(service, run_id, plan).state is State.SUCCEEDED
        found = service.evaluate(run_id, plan).evaluation.accuracy
        assert found.value == right(recede.cut(training.model, images(), plan))
        assert found.n == 16
        evaluate.stopping = True
        measured(service, run_id, Plan(epoch=0, ratio=0.33))
    assert call.error is None


def test_it_ends_by_itself_where_that_is_wanted(live, folder, tmp_path):
    assert recede.serve(folder, Small(), output, epochs=[], server=live, for_s=0) == {}
    run = recede.watch(Small(), images(), folder=tmp_path / "b", metric="m", evaluate=output)
    run.log(1, m=1)
    assert set(run.serve(for_s=60)[1]) == set(ALL)  # without a server the curves are all
    with RecedeClient(live) as service:
        assert service.runs().items[0].recording.serving is None


def test_run_serve_never_raises(tmp_path, caplog):
    run = recede.watch(Small(), images(), folder=tmp_path, metric="m")
    run.log(1, m=1)
    assert run.serve() == {}
    assert "got no evaluate" in caplog.text
    run = recede.watch(Small(), images(), folder=tmp_path, metric="m", evaluate=lambda _: "x")
    run.log(1, m=1)
    assert run.serve() == {}
    assert "measuring on request failed: evaluate failed 3 times in a row" in caplog.text


class Flaky(InProcess):
    """A service that can be taken away and given back."""

    there = True

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not self.there:
            raise httpx.ConnectError("connection refused", request=request)
        return super().handle_request(request)


def test_an_outage_is_waited_out_and_the_answer_follows(app, folder, capsys, monkeypatch, exact):
    transport, evaluate = Flaky(app), Evaluate()

    def client(url, token):
        return RecedeClient(url, token=token, transport=transport)

    monkeypatch.setattr("recede.sdk.serving.serve.RecedeClient", client)

    def cut_off(model) -> float:
        value = evaluate(model)
        transport.there = False  # the service goes away while it is measured
        return value

    call = InAThread(lambda: recede.serve(folder, Small(), cut_off, epochs=[], server=BASE))
    with RecedeClient(BASE, transport=InProcess(app)) as service, call:
        run_id = served(service, folder)
        job = service.evaluate(run_id, exact).job
        eventually(lambda: not transport.there, "the measurement")
        assert service.job(job.id).state is State.QUEUED
        transport.there = True
        eventually(lambda: service.job(job.id).state is State.SUCCEEDED, "the answer")
        assert evaluate.n == 1
        evaluate.stopping = True
        measured(service, run_id, Plan(epoch=1, ratio=0.5))
    assert call.error is None
    assert capsys.readouterr().err.count("Stopped; the same call goes on") == 1


def test_what_a_silent_service_does_not_take_stays_in_the_folder(app, folder, capsys, monkeypatch):
    transport = Flaky(app)
    transport.there = False
    monkeypatch.setattr(
        "recede.sdk.serving.serve.RecedeClient",
        lambda url, token: RecedeClient(url, token=token, transport=transport),
    )
    calls = []

    def interrupted(model) -> float:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return output(model)

    found = recede.serve(folder, Small(), interrupted, epochs=[2], server=BASE)
    assert len(found[2]) == len(Recording(folder).cuts[2]) == 2
    said = capsys.readouterr().err
    assert said.count("connection refused") == 1
    assert "Not all was sent" in said


def test_a_service_that_refuses_ends_it_in_words(live, folder):
    evaluate = Evaluate()
    call = InAThread(lambda: recede.serve(folder, Small(), evaluate, epochs=[], server=live))
    with RecedeClient(live) as service, call:
        service.delete_run(served(service, folder))
    assert isinstance(call.error, ApiError)
    assert "Its run was deleted" in call.error.hint
    assert not Recording(folder).is_written
    with pytest.raises(recede.contract.errors.InvalidInput, match="begin with http"):
        recede.serve(folder, Small(), output, server="gpu-box")
