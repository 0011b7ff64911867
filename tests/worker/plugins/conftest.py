"""Tiny networks run on one thread, and are traced here: what tests bring cannot do harm."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.one_thread import one_thread

__all__ = ["one_thread"]


@pytest.fixture(scope="session", autouse=True)
def traced_here() -> Iterator[None]:
    """Without a process of its own for each network (worker/recede_worker/process/sandbox.py)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECEDE_TRACE_GB", "0")
        yield
