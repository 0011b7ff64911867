"""The webhook against a real receiver: what is sent, once, when, and what becomes of failures."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import func, select, update

from recede.api.live import delivery
from recede.api.live.notifier import Notices
from recede.client import RecedeClient
from recede.contract.states import Lane, State
from recede.settings import Settings
from recede.store.database.engine import Store, open_store
from recede.store.events import log
from recede.store.experiments import runs
from recede.store.notices import webhooks
from recede.store.queue.lease import (
    Lease,
    claim,
    finish,
)
from recede.store.tables.notices import DeliveryRow
from recede.store.tables.runs import JobRow, RunRow
from tests.backend.conftest import serving
from tests.backend.receiver import Receiver, receiving
from tests.backend.store.samples import add_epochs, add_run

ERROR = {"code": "diverged", "message": "The loss is not a number.", "hint": "Lower lr."}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


@pytest.fixture
def notices(store: Store, settings: Settings) -> Notices:
    return Notices(store, settings)


def started(store: Store) -> Lease:
    add_run(store)
    with store.write() as session:
        held = claim(session, owner="w", lanes=[Lane.TRAINING], device="cpu")
    assert held is not None
    return held


def ended(store: Store, state: State = State.SUCCEEDED, **how: Any) -> str:
    """A run that has come to its end."""
    lease = started(store)
    add_epochs(store, lease.run_id, 2)
    with store.write() as session:
        runs.set_results(session, lease.run_id, test_correct=183, n_test=200)
        finish(session, lease, state, **how)
    return lease.run_id


def silent(store: Store, lease: Lease, since_s: float) -> None:
    with store.write() as session:
        change = update(JobRow).where(JobRow.id == lease.job_id)
        session.execute(change.values(heartbeat_at=JobRow.heartbeat_at - since_s))


def due_now(store: Store) -> None:
    """Let the pause before the next try be over."""
    with store.write() as session:
        waiting = update(DeliveryRow).where(DeliveryRow.next_try_at.is_not(None))
        session.execute(waiting.values(next_try_at=0.0))


def worked(notices: Notices, times: int = 3) -> None:
    for _ in range(times):
        notices.step()


def stall_events(store: Store) -> list[str | None]:
    with store.read() as session:
        return [row.run_id for row in log.after(session, 0) if row.data.get("stalled")]


def test_nothing_is_sent_unless_a_person_asks(store: Store, notices: Notices, recede):
    ended(store)
    worked(notices)
    assert recede.webhook().model_dump() == dict.fromkeys(("url", "set_by", "last")) | {
        "waiting": 0
    }
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(DeliveryRow)) == 0


def test_a_finished_run_is_told_once_with_its_accuracy_and_link(
    store: Store, notices: Notices, recede: RecedeClient, receiver: Receiver
):
    ended(store)  # before anybody asked: not told
    recede.set_webhook(receiver.url)
    run_id = ended(store)
    worked(notices)
    (body,) = receiver.bodies
    assert (body["event"], body["run_id"], body["state"]) == ("finished", run_id, "succeeded")
    assert body["accuracy"] == {"value": 0.915, "n": 200, "split": "test"}
    assert body["url"] == f"http://127.0.0.1:8400/runs/{run_id}"
    assert "91.5%" in body["text"]
    told = recede.webhook()
    assert told.last is not None
    assert (told.last.state, told.last.status, told.waiting) == ("sent", 200, 0)


def test_a_failed_run_is_told_with_reason_and_hint_and_a_cancelled_one_is_not(
    store: Store, notices: Notices, recede: RecedeClient, receiver: Receiver
):
    recede.set_webhook(receiver.url)
    ended(store, State.CANCELLED)
    ended(store, State.FAILED, error=ERROR)
    worked(notices)
    (body,) = receiver.bodies
    assert (body["event"], body["accuracy"]) == ("failed", None)
    assert (body["reason"], body["hint"]) == (ERROR["message"], ERROR["hint"])


def test_every_stall_is_an_event_once_and_told_once(
    store: Store, notices: Notices, recede: RecedeClient, receiver: Receiver
):
    recede.set_webhook(receiver.url)
    lease = started(store)
    worked(notices)
    assert stall_events(store) == []
    silent(store, lease, 11)
    worked(notices)
    assert stall_events(store) == [lease.run_id]
    assert [body["event"] for body in receiver.bodies] == ["stalled"]
    with store.write() as session:  # it comes back, and falls silent again
        session.execute(update(JobRow).values(heartbeat_at=JobRow.heartbeat_at + 0.5))
    worked(notices)
    assert stall_events(store) == [lease.run_id] * 2
    assert len(receiver.bodies) == 2


def test_services_on_one_store_send_and_tell_once(
    store: Store, settings: Settings, recede: RecedeClient, receiver: Receiver
):
    recede.set_webhook(receiver.url)
    for _ in range(3):
        ended(store)
    silent(store, started(store), 11)
    others = [open_store(settings.store_url) for _ in range(3)]
    start = threading.Barrier(len(others))

    def work(own: Store) -> None:
        start.wait()
        worked(Notices(own, settings), 6)

    threads = [threading.Thread(target=work, args=(own,)) for own in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for own in others:
        own.close()
    assert sorted(body["event"] for body in receiver.bodies) == ["finished"] * 3 + ["stalled"]
    assert len(stall_events(store)) == 1


def test_an_error_of_the_receiver_is_tried_again_later_and_then_sent(
    store: Store, notices: Notices, recede: RecedeClient, receiver: Receiver
):
    receiver.statuses = [500, 200]
    recede.set_webhook(receiver.url)
    ended(store)
    worked(notices)
    assert len(receiver.bodies) == 1  # the pause holds
    last = recede.webhook().last
    assert last is not None
    assert (last.state, last.attempts, last.error) == ("waiting", 1, "answer 500")
    assert last.next_try_at is not None
    assert last.tried_at is not None
    assert last.next_try_at - last.tried_at == pytest.approx(webhooks.PAUSES_S[0])
    due_now(store)
    worked(notices)
    assert [body["delivery"] for body in receiver.bodies] == [last.id] * 2
    again = recede.webhook().last
    assert again is not None
    assert (again.state, again.attempts) == ("sent", 2)


def test_a_refused_connection_is_said_in_words_and_given_up_after_the_last_try(
    store: Store, notices: Notices, recede: RecedeClient
):
    with receiving() as gone:
        pass  # nobody listens there any more
    recede.set_webhook(gone.url)
    ended(store)
    for attempt in range(1, webhooks.MOST_TRIES + 1):
        worked(notices)
        last = recede.webhook().last
        assert last is not None
        assert last.attempts == attempt
        assert last.state == ("waiting" if attempt < webhooks.MOST_TRIES else "failed")
        due_now(store)
    assert "connection" in (last.error or "")
    worked(notices)
    assert recede.webhook().last == last


@pytest.mark.parametrize("status", [301, 404])
def test_a_redirect_and_a_refusal_are_not_tried_again(
    store: Store, notices: Notices, recede: RecedeClient, receiver: Receiver, status: int
):
    receiver.statuses = [status]
    recede.set_webhook(receiver.url)
    ended(store)
    worked(notices)
    last = recede.webhook().last
    assert last is not None
    assert (last.state, last.status) == ("failed", status)
    assert len(receiver.bodies) == 1


def test_a_restart_loses_nothing_and_sends_nothing_twice(
    store: Store, settings: Settings, recede: RecedeClient, receiver: Receiver
):
    recede.set_webhook(receiver.url)
    ended(store)
    worked(Notices(store, settings))
    ended(store)  # while no service runs
    again = open_store(settings.store_url)
    worked(Notices(again, settings))
    again.close()
    assert len({body["run_id"] for body in receiver.bodies}) == len(receiver.bodies) == 2


def test_a_delivery_whose_sender_died_is_sent_by_the_next(
    store: Store, settings: Settings, recede: RecedeClient, receiver: Receiver
):
    recede.set_webhook(receiver.url)
    ended(store)
    with store.write() as session:
        webhooks.collect(session)
        assert webhooks.claim(session) is not None  # and then its process died
    worked(Notices(store, settings))
    assert receiver.bodies == []
    due_now(store)
    worked(Notices(store, settings))
    assert len(receiver.bodies) == 1


def test_a_running_service_sends_by_itself(store: Store, app, receiver: Receiver):
    with serving(app) as url, RecedeClient(url) as client:
        client.set_webhook(receiver.url)
        run_id = ended(store)
        assert receiver.arrived.acquire(timeout=60)
    assert [body["run_id"] for body in receiver.bodies] == [run_id]
    with store.read() as session:  # the service ended after it had written down what it sent
        assert session.scalars(select(DeliveryRow.sent_at)).one() is not None


def test_an_answer_that_never_comes_ends_after_the_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(delivery, "TIMEOUT_S", 0.05)
    with socket_that_is_silent() as url:
        outcome = delivery.post(url, {})
    assert outcome.again
    assert "no answer within" in (outcome.error or "")


@contextmanager
def socket_that_is_silent() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def test_a_run_deleted_before_it_was_sent_is_told_all_the_same(
    store: Store, notices: Notices, recede: RecedeClient, receiver: Receiver
):
    receiver.statuses = [500, 200]
    recede.set_webhook(receiver.url)
    run_id = ended(store)
    worked(notices)
    with store.write() as session:
        runs.remove(session, run_id)
        assert session.get(RunRow, run_id) is None
    due_now(store)
    worked(notices)
    assert [body["run_id"] for body in receiver.bodies] == [run_id] * 2
