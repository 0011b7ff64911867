"""The webhook's address: who sets it, what it may be, a test of it, and the command."""

from __future__ import annotations

import json

import pytest

from recede.api.live.notifier import Notices
from recede.client import ApiError, RecedeClient
from recede.contract.errors import InvalidInput
from recede.settings import Settings
from recede.store.database.engine import Store
from tests.backend.api.routes.service.test_webhook import (
    due_now,
    ended,
    notices,
    receiver,
    worked,
)
from tests.backend.cli.test_commands import run
from tests.backend.receiver import Receiver

__all__ = ["notices", "receiver", "run"]


def test_switched_off_drops_what_waits(
    store: Store, notices: Notices, recede: RecedeClient, receiver: Receiver
):
    receiver.statuses = [503, 200]
    recede.set_webhook(receiver.url)
    ended(store)
    worked(notices)
    assert recede.remove_webhook().waiting == 0
    due_now(store)
    recede.set_webhook(receiver.url)
    worked(notices)
    assert len(receiver.bodies) == 1


def test_a_test_is_sent_at_once_and_says_what_came_of_it(recede: RecedeClient, receiver: Receiver):
    with pytest.raises(ApiError) as nothing:
        recede.test_webhook()
    assert nothing.value.status == 409
    recede.set_webhook(receiver.url)
    last = recede.test_webhook().last
    assert last is not None
    assert (last.event, last.state) == ("test", "sent")
    assert receiver.bodies[0]["event"] == "test"
    receiver.statuses = [500]
    last = recede.test_webhook().last
    assert last is not None
    assert (last.state, last.next_try_at) == ("failed", None)


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://h/x", "file:///etc/passwd", "h.example", "http://", "http://h:70000/"),
        *("http://h/ a", "http://h:0/", "javascript:alert(1)", "http://" + 2_000 * "h"),
    ],
)
def test_a_bad_address_is_refused_at_once_with_what_is_wanted(recede: RecedeClient, url: str):
    recede.set_webhook("http://127.0.0.1:9/kept")
    with pytest.raises(ApiError) as refused:
        recede.set_webhook(url)
    assert (refused.value.status, refused.value.field) == (422, "url")
    assert recede.webhook().url == "http://127.0.0.1:9/kept"
    with pytest.raises(InvalidInput, match="RECEDE_WEBHOOK was") as caught:
        Settings.read({"RECEDE_WEBHOOK": url})
    assert "http://" in str(caught.value.hint)


def test_the_environment_sets_it_and_takes_it_away_again(
    store: Store, settings: Settings, recede: RecedeClient, receiver: Receiver
):
    fixed = Settings.read({"RECEDE_WEBHOOK": receiver.url}, data=settings.data)
    worked(Notices(store, fixed))
    assert (recede.webhook().url, recede.webhook().set_by) == (receiver.url, "environment")
    for change in (lambda: recede.set_webhook("http://h/"), recede.remove_webhook):
        with pytest.raises(ApiError, match="RECEDE_WEBHOOK") as refused:
            change()
        assert refused.value.status == 409
    worked(Notices(store, settings))  # started again without it
    assert recede.webhook().url is None


def test_the_command_shows_sets_tests_and_switches_off(run, receiver: Receiver):
    assert "nothing is sent" in run("webhook").stdout
    done = run("webhook", receiver.url, "--test")
    assert done.exit_code == 0, done.output
    assert "answer 200" in done.stdout
    receiver.statuses = [404]
    failed = run("webhook", "--test")
    assert failed.exit_code == 1
    assert "answer 404; gave up" in failed.stdout
    bad = run("webhook", "ftp://h/")
    assert bad.exit_code == 2
    assert "http://" in bad.stderr
    assert json.loads(run("webhook", "--json").stdout)["url"] == receiver.url
    assert "nothing is sent" in run("webhook", "--off").stdout
    assert run("webhook", "--off", "--test").exit_code == 2
