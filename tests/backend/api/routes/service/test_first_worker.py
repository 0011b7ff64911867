"""The first seconds of a service: what needs the catalog waits for the worker that starts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from fastapi import FastAPI
from sqlalchemy import delete

from recede.cli.submit.offered import offered
from recede.client import ApiError, RecedeClient
from recede.contract.errors import Unavailable
from recede.store.database.engine import Store
from recede.store.tables.runs import WorkerRow
from tests.backend.catalog import CATALOG, SPEC


@pytest.fixture(autouse=True)
def nobody_yet(app: FastAPI, store: Store) -> None:
    with store.write() as session:
        session.execute(delete(WorkerRow))


@pytest.fixture
def starting(app: FastAPI, announce: Callable[[], None]) -> Iterator[threading.Timer]:
    """A worker that says what it offers half a second after the timer was started."""
    app.state.services = replace(app.state.services, keeps_worker=lambda: True)
    timer = threading.Timer(0.5, announce)
    yield timer
    timer.join()


def test_a_run_that_is_submitted_too_early_is_queued_when_the_worker_is_there(recede, starting):
    starting.start()
    assert recede.create_run(SPEC).run.state == "queued"


def test_commands_wait_and_say_so_once(recede, starting, capsys):
    with pytest.raises(ApiError) as early:
        recede.catalog()
    assert early.value.code == Unavailable.code
    starting.start()
    assert offered(recede) == CATALOG
    assert capsys.readouterr().err.count("The worker is starting") == 1


def test_where_none_is_starting_it_is_said_at_once(recede: RecedeClient, capsys):
    for call in (lambda: recede.create_run(SPEC), lambda: offered(recede)):
        with pytest.raises(ApiError, match="No worker has started yet"):
            call()
    assert capsys.readouterr().err == ""
