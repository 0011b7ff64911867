"""How the log of a job begins, and that of its next process."""

from __future__ import annotations

import pytest

from recede.contract.states import JobKind
from recede.store.queue.lease import Lease
from recede_worker.engine.supervisor.entry import first_line


def lease(attempt: int) -> Lease:
    return Lease(3, "run", JobKind.TRAIN, {}, "token", attempt, ("cuda:0", "cuda:1", "cuda:1"))


def test_a_first_process_says_what_and_where():
    assert first_line(lease(1), is_resumed=False) == "train job 3 on cuda:0, cuda:1"


@pytest.mark.parametrize(
    ("attempt", "more"), [(1, ""), (2, ", attempt 2 of 3 since the last finished epoch")]
)
def test_a_later_process_never_says_that_it_is_the_first(attempt: int, more: str):
    line = first_line(lease(attempt), is_resumed=True)
    assert line == f"train job 3 resumes in a new process on cuda:0, cuda:1{more}"
