"""What processes that the supervisor starts know already."""

from __future__ import annotations

import importlib

import pytest

from recede_worker.engine.supervisor.launch import PRELOADED
from recede_worker.plugins import preload, registry


def test_plug_ins_are_found_once_for_all_processes():
    assert preload.__name__ in PRELOADED
    registry.architectures.cache_clear()
    importlib.reload(preload)
    assert registry.architectures.cache_info().currsize == 1


def test_one_that_cannot_be_used_is_left_to_the_process_that_asks_for_it(
    monkeypatch: pytest.MonkeyPatch,
):
    def broken() -> None:
        raise registry.BadPlugin("two plug-ins share a name")

    monkeypatch.setattr(registry, "architectures", broken)
    registry.methods.cache_clear()
    importlib.reload(preload)
    assert registry.methods.cache_info().currsize == 1
