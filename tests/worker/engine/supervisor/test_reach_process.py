"""Networks that are asked about: one process at a time, the newest first, and none asked twice."""

from __future__ import annotations

import multiprocessing
import os

import pytest

from recede.contract.network.reach import NetworkRequest, Reach, Share
from recede.store.database.engine import open_store, sqlite_url
from recede.store.queue import reaches
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.engine.supervisor import launch
from recede_worker.engine.supervisor.catalog import ReachProcess

HALF = Share(params=0.5, macs=0.5)
ASKED = NetworkRequest(architecture="a", params={}, in_channels=1, image_size=8, classes=10)


def answers(settings: WorkerSettings, request: NetworkRequest) -> None:
    store = open_store(settings.store_url)
    with store.write() as session:
        reaches.answer(session, request, reach=Reach(inner=HALF, all=HALF))
    store.close()


def dies(_settings: WorkerSettings, _request: NetworkRequest) -> None:
    os._exit(3)


@pytest.fixture
def served(tmp_path):
    """The supervisor's side, over a store with one question."""
    settings = WorkerSettings(sqlite_url(tmp_path / "recede.db"), tmp_path, (), 1)
    store = open_store(settings.store_url)
    with store.write() as session:
        reaches.ask(session, ASKED)
    made = ReachProcess(settings, multiprocessing.get_context("fork"), store)
    yield made
    made.end()
    store.close()


@pytest.mark.parametrize(("looks", "words"), [(answers, None), (dies, "ended with exit code 3")])
def test_a_question_is_answered_once_even_by_a_process_that_dies(
    monkeypatch, served, looks, words
):
    monkeypatch.setattr(launch, "reach", looks)
    served.serve()
    assert served.process is not None
    served.process.join()
    served.serve()
    assert served.process is None
    with served.store.read() as session:
        row = reaches.known(session, ASKED)
        assert reaches.next_question(session) is None
    assert (row.reach is None) == (words is not None)
    assert words is None or words in row.refused
