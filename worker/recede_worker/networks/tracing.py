"""What tracing finds in a network of third-party code, found once and kept.

A network that no test of ours covers is built and traced in a process of its own first, under
limits (process/sandbox.py); the findings depend only on the request, so that they are kept for
later jobs. Only then does a job build it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, ClassVar, Protocol

from torch import nn

from recede.contract.errors import InvalidInput
from recede.contract.network.reach import Reach
from recede_worker.core.cutting.discover import (
    FIELD,
    Found,
    check_layers,
    find_prunable,
)
from recede_worker.core.graph.entry import widths_for
from recede_worker.core.norms.scaling import from_json
from recede_worker.process.limits import DEFAULT_LIMITS, Limits
from recede_worker.process.sandbox import run_limited

PRELOAD = "recede_worker.networks.own"
"""Imported by the server that starts sandboxes: what most of them need."""
REQUEST = ("in_channels", "classes", "image_size", "params")


class Traceable(Protocol):
    """What tracing needs of an architecture; hashable, and picklable for the sandbox."""

    is_known: ClassVar[bool]
    """Whether our own tests cut this network; any other is traced in a sandbox."""

    def __hash__(self) -> int:
        """Findings are cached by it."""

    @property
    def name(self) -> str:
        """Its name in the catalog."""

    def label_of(self, config: dict[str, Any]) -> str:
        """The network's name in messages."""

    def stamp(self) -> str:
        """Changes with the network's code."""

    def sketch(self, config: dict[str, Any]) -> nn.Module | None:
        """The network without memory, if it can be built so."""

    def built_original(self, config: dict[str, Any]) -> nn.Module:
        """The untrained network; raises InvalidInput."""

    def widen(self, network: nn.Module, widths: Mapping[str, Sequence[int]]) -> None:
        """Give the named layers so many channels in and out."""


@dataclass(frozen=True)
class TracingOptions:
    """How a job traces networks."""

    folder: Path | None = None
    """Where findings are kept for later processes."""
    limits: Limits = DEFAULT_LIMITS
    """Of the sandbox."""
    check: Callable[[], None] = lambda: None
    """Raises when the job is to stop."""
    log: Callable[[str], None] = lambda _: None


_OPTIONS = ContextVar("tracing_options", default=TracingOptions())  # noqa: B039 - it is frozen


@contextmanager
def tracing_with(options: TracingOptions) -> Iterator[None]:
    """Trace networks with these options inside the block."""
    token = _OPTIONS.set(options)
    try:
        yield
    finally:
        _OPTIONS.reset(token)


@dataclass(frozen=True)
class Findings:
    """What tracing found in one network."""

    widths: dict[str, list[int]]
    """Layers narrowed or widened to take the images' channels."""
    found: Found


def findings(architecture: Traceable, config: dict[str, Any]) -> Findings:
    """What tracing finds in the dense network of a configuration.

    Raises:
        InvalidInput: it cannot be built, or not be costed and cut.
        LimitReached: that took too much memory or time, or crashed.
    """
    request = json.dumps({key: config[key] for key in REQUEST}, sort_keys=True)
    known = json.loads(_known(architecture, request))
    reach = Reach.model_validate(known["reach"])
    found = Found(from_json(known["norms"]), known["left_out"], reach)
    return Findings(known["widths"], found)


@lru_cache(maxsize=32)
def _known(architecture: Traceable, request: str) -> str:
    """Findings as JSON: from this process's memory, from the folder, or found anew."""
    if architecture.is_known:
        return examine(architecture, request)
    path = _place(architecture, request)
    kept = _read(path)
    if kept is not None:
        return kept
    options = _OPTIONS.get()
    is_sandboxed = options.limits.isolate
    text = (
        _sandboxed(architecture, request, options)
        if is_sandboxed
        else examine(architecture, request)
    )
    _keep(path, text)
    return text


def _sandboxed(architecture: Traceable, request: str, options: TracingOptions) -> str:
    """Findings from a process of its own; raises what `run_limited` does."""
    label = architecture.label_of(json.loads(request))
    options.log(f"tracing {label} in a process of its own: {request}")
    text: str = run_limited(
        f"Tracing {label}",
        examine,
        architecture,
        request,
        limits=options.limits,
        check=options.check,
        preload=PRELOAD,
    )
    return text


def examine(architecture: Traceable, request: str) -> str:
    """Build and trace the requested network in this process; request and findings are JSON."""
    config = json.loads(request)
    _check_sketch(architecture, config)
    network = architecture.built_original(config)
    channels, size = config["in_channels"], config["image_size"]
    try:
        check_layers(network)
        widths = widths_for(network, channels, size)
        architecture.widen(network, widths)
        found = find_prunable(
            network,
            (channels, size, size),
            config["classes"],
            prove=not architecture.is_known,
        )
    except InvalidInput as error:
        raise refusal(architecture, config, error) from error
    reach = found.reach.model_dump()
    known = {"norms": found.norms, "left_out": found.left_out, "reach": reach}
    return json.dumps({"widths": widths, **known})


def refusal(architecture: Traceable, config: dict[str, Any], error: InvalidInput) -> InvalidInput:
    """The same error, with the name of the network."""
    message = f"{architecture.label_of(config)} cannot be used. {error.message}"
    return InvalidInput(message, field=error.field or FIELD, hint=error.hint)


def _check_sketch(architecture: Traceable, config: dict[str, Any]) -> None:
    """Refuse a network of billions of weights without building it."""
    sketch = architecture.sketch(config)
    if sketch is None:
        return
    try:
        check_layers(sketch)
    except InvalidInput as error:
        raise refusal(architecture, config, error) from error


def _place(architecture: Traceable, request: str) -> Path | None:
    """The file of these findings: another one for changed code."""
    folder = _OPTIONS.get().folder
    if folder is None:
        return None
    key = json.dumps([architecture.name, request, _versions(), architecture.stamp()])
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


def _versions() -> list[str]:
    """Of Recede and its dependencies; empty for one that is not installed."""
    names = {re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in requires("recede") or ()}
    return [f"{name} {_version(name)}" for name in sorted({"recede", *names})]


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""


def _read(path: Path | None) -> str | None:
    try:
        text = path.read_text() if path else ""
        whole = {"widths", "norms", "left_out", "reach"} <= set(json.loads(text))
    except (OSError, ValueError, TypeError):
        return None  # not found yet, or damaged: found again
    return text if whole else None


def _keep(path: Path | None, text: str) -> None:
    if path is None:
        return
    with suppress(OSError):  # it only saves time
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_text(text)
        temporary.replace(path)
