"""Tiny networks compute on one thread and from one seed, and are traced in the test's process."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from recede_worker.networks.tracing import TracingOptions, tracing_with
from recede_worker.process.limits import Limits
from tests.torch_state import one_seed, one_thread

__all__ = ["one_seed", "one_thread"]


@pytest.fixture(scope="session", autouse=True)
def gloo_on_this_machine() -> Iterator[None]:
    """As the worker's __main__ has it: the name of the machine may not resolve."""
    with pytest.MonkeyPatch.context() as patch:
        if sys.platform == "linux":
            patch.setenv("GLOO_SOCKET_IFNAME", "lo")
        yield


@pytest.fixture(scope="session", autouse=True)
def unsandboxed_tracing() -> Iterator[None]:
    """No process of its own for each network that is traced."""
    with tracing_with(TracingOptions(limits=Limits(memory_gb=0))):
        yield
