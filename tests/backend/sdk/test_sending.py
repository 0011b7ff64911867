"""server=…: a recording reaches a service beside the training, after an outage too."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

import recede
from recede.client import RecedeClient
from recede.contract.states import State
from recede.sdk.sending.thread import Sender
from recede.sdk.watching.trouble import Trouble
from tests.backend.conftest import BASE, InProcess
from tests.backend.sdk.watched import Training, images
from tests.worker_process import eventually


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.WARNING, "recede")
    return lambda: [record.message for record in caplog.records if record.name == "recede"]


def test_what_is_recorded_arrives_while_it_trains(live, tmp_path, said):
    training = Training()
    with RecedeClient(live) as service:
        run = recede.watch(
            training.model, images(), folder=tmp_path, metric="accuracy", server=live
        )
        run.log(1, accuracy=0.5)
        found = eventually(
            lambda: [one for one in service.runs().items if one.epochs_done == 1],
            "the first epoch",
        )
        assert found[0].state is State.RUNNING
        run.log(2, accuracy=0.75)
        run.finish()
        [found] = service.runs().items
        assert (found.state, found.epochs_done) == (State.SUCCEEDED, 2)
        assert found.recording.best_value == 0.75
    assert said() == []


class Flaky(InProcess):
    """A service that can be taken away and given back."""

    there = True

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not self.there:
            raise httpx.ConnectError("connection refused", request=request)
        return super().handle_request(request)


def test_after_an_outage_all_of_it_arrives_once(app, tmp_path, said):
    transport, trouble = Flaky(app), Trouble()
    training = Training()
    run = recede.watch(training.model, images(), folder=tmp_path, metric="accuracy")
    sender = Sender(RecedeClient(BASE, transport=transport), tmp_path, trouble.say, pause_s=0.01)
    with RecedeClient(BASE, transport=InProcess(app)) as service:
        sender.start()
        eventually(lambda: service.runs().items, "the run")
        transport.there = False
        for epoch in (1, 2, 3):
            run.log(epoch, accuracy=0.1 * epoch)
            sender.wake()
        eventually(said, "the outage")
        transport.there = True
        eventually(lambda: service.runs().items[0].epochs_done == 3, "the third epoch")
        run.finish()
        sender.finish()
        [found] = service.runs().items
        assert found.state is State.SUCCEEDED
        assert [row.epoch for row in service.epochs(found.id).items] == [0, 1, 2, 3]
    assert not sender.is_alive()
    assert len(said()) == 1
    assert "tried again" in said()[0]


def test_an_end_without_a_service_leaves_the_folder(app, tmp_path, said):
    transport = Flaky(app)
    transport.there = False
    run = recede.watch(Training().model, images(), folder=tmp_path)
    client = RecedeClient(BASE, transport=transport)
    sender = Sender(client, tmp_path, Trouble().say, pause_s=0.01)
    sender.start()
    run.log(1)
    run.finish()
    sender.finish()
    assert not sender.is_alive()
    assert "Nothing answers" in said()[0]
    assert f"recede import {tmp_path}" in said()[1]
    assert len(said()) == 2


@contextmanager
def answering(status: int):
    """A server that answers all with this status: its address, and the tokens it was shown."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.headers["Authorization"])
            body = b'{"error": {"code": "x", "message": "Not with that."}}'
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """It stays silent."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "does not accept the token"), (404, "too old"), (422, "takes nothing more")],
)
def test_a_service_that_refuses_is_said_once_and_left_alone(tmp_path, said, status, words):
    with answering(status) as (url, asked):
        run = recede.watch(Training().model, images(), folder=tmp_path, server=url, token="wrong")
        for epoch in (1, 2):
            run.log(epoch)
        run.finish()
    assert asked == ["Bearer wrong"]
    assert len(said()) == 1
    assert words in said()[0]
    assert f"recede import {tmp_path}" in said()[0]


def test_a_run_that_was_deleted_is_not_made_again(live, tmp_path, said):
    with RecedeClient(live) as service:
        run = recede.watch(Training().model, images(), folder=tmp_path, server=live)
        [found] = eventually(lambda: service.runs().items, "the run")
        eventually(lambda: service.epochs(found.id).items, "an epoch")
        service.delete_run(found.id)
        run.log(1)
        run.finish()
        assert service.runs().items == []
    assert len(said()) == 1
    assert "takes nothing more" in said()[0]


def test_an_address_that_is_none_is_said_once(tmp_path, said):
    run = recede.watch(Training().model, images(), folder=tmp_path, server="nowhere at all")
    run.log(1)
    run.finish()
    assert len(said()) == 1
    assert "http://" in said()[0]


def test_a_folder_that_is_taken_away_ends_the_sending_alone(app, tmp_path, said):
    run = recede.watch(Training().model, images(), folder=tmp_path / "mine")
    client = RecedeClient(BASE, transport=InProcess(app))
    sender = Sender(client, tmp_path / "gone", Trouble().say)
    sender.start()
    sender.join(30)
    run.finish()
    assert "sending has stopped" in said()[0]
