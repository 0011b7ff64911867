"""Finds every plug-in when it is imported, for a server that forks processes.

Each process that it forks knows them then, and starts a second sooner.
"""

from __future__ import annotations

from recede_worker.plugins import registry


def _find_all() -> None:
    for find in (registry.architectures, registry.criteria, registry.datasets, registry.methods):
        try:
            find()
        except Exception:  # noqa: BLE001, S112 - reported by the first process that asks for it
            continue


_find_all()
