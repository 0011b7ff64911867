"""Finds every plug-in: the `PLUGINS` of all modules in the folders of each kind.

The user's own networks join the architectures (networks/own.py); their files are passed in.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import recede_worker.architectures
import recede_worker.criteria
import recede_worker.datasets
import recede_worker.methods
from recede.contract.errors import RecedeError
from recede.contract.spec.run import IMPORTANCE
from recede_worker.criteria.base import Criterion
from recede_worker.images.dataset import Dataset
from recede_worker.methods.base import Method
from recede_worker.networks.family import Architecture
from recede_worker.networks.own import (
    BadNetworks,
    OwnNetwork,
    own_networks,
)


class BadPlugin(RecedeError):
    """A plug-in file that cannot be used; the message names the file."""

    code = "bad_plugin"


@cache
def methods() -> dict[str, Method]:
    """All methods by name; raises BadPlugin."""
    return discover(recede_worker.methods, Method)


@cache
def architectures(networks: tuple[Path, ...] = ()) -> dict[str, Architecture]:
    """All architectures by name, those of the files `networks` included; raises BadPlugin."""
    return {**_published(), **_own(networks)[0]}


def problems(networks: tuple[Path, ...]) -> tuple[str, ...]:
    """What is wrong with these files and with entry points of networks, one sentence each."""
    return tuple(problem.message for problem in _own(networks)[1])


@cache
def _published() -> dict[str, Architecture]:
    return discover(recede_worker.architectures, Architecture)


@cache
def _own(networks: tuple[Path, ...]) -> tuple[dict[str, OwnNetwork], list[BadNetworks]]:
    return own_networks(networks, _published())


@cache
def datasets() -> dict[str, Dataset]:
    """All data sets by name; raises BadPlugin."""
    return discover(recede_worker.datasets, Dataset)


@cache
def criteria() -> dict[str, Criterion]:
    """All criteria by name, the one that every run has first; raises BadPlugin."""
    found = discover(recede_worker.criteria, Criterion)
    return {IMPORTANCE: found[IMPORTANCE], **found}


def discover(package: ModuleType, kind: type[Any]) -> dict[str, Any]:
    """The plug-ins of a package by name; a module without `PLUGINS` is a helper.

    Raises:
        BadPlugin: two plug-ins share a name, or one is not of the wanted kind.
    """
    found: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for module_info in pkgutil.iter_modules(package.__path__, prefix=f"{package.__name__}."):
        module = importlib.import_module(module_info.name)
        for plugin in getattr(module, "PLUGINS", ()):
            if not isinstance(plugin, kind):
                raise BadPlugin(
                    f"{module.__file__}: PLUGINS holds {plugin!r}, which is not a {kind.__name__}."
                )
            name = plugin.name
            if name in found:
                raise BadPlugin(
                    f"{module.__file__}: the name {name!r} is already taken by {origin[name]}.",
                    hint="Give one of the two another name.",
                )
            found[name], origin[name] = plugin, str(module.__file__)
    return found
