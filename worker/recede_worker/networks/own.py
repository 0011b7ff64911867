"""The user's own networks: Python files of the settings, and entry points of packages."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from recede.contract.errors import RecedeError
from recede.contract.spec.catalog import ArchitectureInfo
from recede_worker.networks.family import Config
from recede_worker.networks.traced import Origin, TracedArchitecture

GROUP = "recede.networks"
TABLE = "NETWORKS"
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")

Build = Callable[[int, int, int], nn.Module]
"""`build(in_channels, classes, image_size)` → a network that gives (N, classes)."""


class BadNetworks(RecedeError):
    """A file or entry point of networks that cannot be used; the message names it and says why."""

    code = "bad_networks"


@dataclass(frozen=True)
class OwnNetwork(TracedArchitecture):
    """One network of the user's own code."""

    function: Build
    home: Origin
    """Where the function is; `call` is an expression for it."""
    place: str
    """The file or the entry point that gives it."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        """Another process reads it from there again: not every function can be pickled."""
        return _again, (self.place, self.name)

    def stamp(self) -> str:
        """Changes with the file of the function and those beside it."""
        try:
            folder = Path(inspect.getfile(self.function)).parent
        except (TypeError, OSError):
            return ""
        digest = hashlib.sha256()
        for path in sorted(folder.glob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
        return digest.hexdigest()

    def original(self, config: Config) -> nn.Module:
        """What the function returns."""
        return self.function(config["in_channels"], config["classes"], config["image_size"])

    def origin(self, config: Config) -> Origin:
        """The same call in the file or package that the function is from."""
        arguments = f"{config['in_channels']}, {config['classes']}, {config['image_size']}"
        return Origin(self.home.needs, self.home.imports, f"{self.home.call}({arguments})")


def own_networks(
    files: Sequence[Path], taken: Collection[str]
) -> tuple[dict[str, OwnNetwork], list[BadNetworks]]:
    """Networks by name from these files and from entry points, and what could not be used.

    A source that fails does not affect the others. `taken` are names of the catalog.
    """
    found: dict[str, OwnNetwork] = {}
    problems: list[BadNetworks] = []
    points = entry_points(group=GROUP)
    sources = {str(file): partial(_of_file, file) for file in files} | {
        f"entry point {point.name} = {point.value}": partial(_of_point, point) for point in points
    }
    for origin, load in sources.items():
        try:
            networks = load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - user code
            reason = str(error) if isinstance(error, _Unusable) else _described(error, origin)
            problems.append(BadNetworks(f"{origin}: {reason}"))
            continue
        for name, network in networks.items():
            if name in taken or name in found:
                problems.append(
                    BadNetworks(
                        f"{origin}: the name {name!r} is already taken.",
                        hint="Give the network another name and restart the worker.",
                    )
                )
            else:
                found[name] = network
    return found, problems


def _again(place: str, name: str) -> OwnNetwork:
    for point in entry_points(group=GROUP):
        if place == f"{point.name} = {point.value}":
            return _of_point(point)[name]
    return _of_file(Path(place))[name]


class _Unusable(Exception):
    """Why a file or entry point cannot be used."""


def _of_file(path: Path) -> dict[str, OwnNetwork]:
    module = _imported(path)
    table = getattr(module, TABLE, None)
    if not isinstance(table, Mapping) or not table:
        raise _Unusable(
            f"it has no {TABLE}: a dict of name → function build(in_channels, classes, image_size)"
        )
    return {
        name: _network(
            name,
            function,
            Origin(
                needs=f"the network {name!r} of {path.name}, which must lie beside this file",
                imports=f"from {path.stem} import {TABLE}",
                call=f'{TABLE}["{name}"]',
            ),
            str(path),
        )
        for name, function in table.items()
    }


def _imported(path: Path) -> ModuleType:
    """The file as a module under its own name, so that a downloaded source can import it."""
    if not path.is_file():
        raise _Unusable("there is no such file")
    known = sys.modules.get(path.stem)
    if known is not None and getattr(known, "__file__", None) == str(path):
        return known
    if not path.stem.isidentifier() or known or _is_taken(path):
        raise _Unusable(
            f"{path.stem!r} cannot be the name of a module here: rename the file, with letters, "
            "digits and _ only, to a name that no installed package has"
        )
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise _Unusable("it is not a Python file: its name must end in .py")
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # files beside it can be imported
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[path.stem]
        raise
    return module


def _is_taken(path: Path) -> bool:
    """Whether a module of that name exists already, in another file."""
    spec = importlib.util.find_spec(path.stem)
    return spec is not None and spec.origin != str(path)


def _of_point(point: EntryPoint) -> dict[str, OwnNetwork]:
    package = point.module.partition(".")[0]
    home = Origin(
        needs=f"the network {point.name!r} of the package {package!r}, which must be installed",
        imports=f"import {point.module}",
        call=f"{point.module}.{point.attr}",
    )
    place = f"{point.name} = {point.value}"
    return {point.name: _network(point.name, point.load(), home, place)}


def _network(name: object, function: object, home: Origin, place: str) -> OwnNetwork:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise _Unusable(
            f"{name!r} is not a valid name: use lower-case letters, digits, '.', '_' and '-', at "
            "most 64"
        )
    if not callable(function):
        raise _Unusable(f"{name!r} is a {type(function).__name__}, not a function")
    summary = (inspect.getdoc(function) or "").partition("\n")[0].strip()
    info = ArchitectureInfo(
        name=name,
        label=name,
        help=f"{summary} Your own network. What of it can be cut is found by tracing.".strip(),
        min_image=1,
        max_image=4096,
    )
    return OwnNetwork(info, function, home, place)


def _described(error: BaseException, origin: str) -> str:
    """The error and the line of the user's file that raised it."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == origin:
            line = trace.tb_lineno
        trace = trace.tb_next
    where = f" (line {line})" if line else ""
    return f"{type(error).__name__}: {error}{where}"
