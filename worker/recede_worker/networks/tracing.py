"""What tracing finds in a network of other people's code, found once and kept.

A network that no test of ours has cut is built and traced in a process of its own first, under
limits (engine/limited.py); what is found depends only on what is asked, so that it is kept for
later jobs. Only then does a job build it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from recede.contract.errors import InvalidInput
from recede_worker.core.cutting.discover import (
    FIELD,
    Found,
    check_layers,
    find_prunable,
)
from recede_worker.core.norms.scaling import from_json
from recede_worker.process.sandbox import Limits, run_limited

if TYPE_CHECKING:
    from recede_worker.networks.traced import TracedArchitecture

ASKED = ("in_channels", "classes", "image_size", "params")


@dataclass(frozen=True)
class Surroundings:
    """What a job lets tracing use."""

    folder: Path | None = None
    """Where findings are kept for later processes."""
    check: Callable[[], None] = lambda: None
    """Raises when the job is to stop."""
    log: Callable[[str], None] = lambda _: None


_SURROUNDINGS = ContextVar("surroundings", default=Surroundings())  # noqa: B039 - it is frozen


@contextmanager
def within(surroundings: Surroundings) -> Iterator[None]:
    """Let networks be traced in these surroundings."""
    token = _SURROUNDINGS.set(surroundings)
    try:
        yield
    finally:
        _SURROUNDINGS.reset(token)


@dataclass(frozen=True)
class Findings:
    """What tracing found in one network."""

    widths: dict[str, list[int]]
    """Layers narrowed or widened to take the images' channels."""
    found: Found


def findings(architecture: TracedArchitecture, config: dict[str, Any]) -> Findings:
    """What tracing finds in the dense network that a configuration asks for.

    Raises:
        InvalidInput: it cannot be built, or not be costed and cut.
        LimitReached: that took too much memory or time, or crashed.
    """
    asked = json.dumps({key: config[key] for key in ASKED}, sort_keys=True)
    known = json.loads(_known(architecture, asked))
    return Findings(known["widths"], Found(from_json(known["norms"]), known["left_out"]))


@lru_cache(maxsize=32)
def _known(architecture: TracedArchitecture, asked: str) -> str:
    """Findings as JSON: from this process's memory, from the folder, or found anew."""
    if architecture.is_known:
        return examine(architecture, asked)
    path = _place(architecture, asked)
    kept = _read(path)
    if kept is not None:
        return kept
    limits = Limits.of_environment()
    text = _apart(architecture, asked, limits) if limits.apart else examine(architecture, asked)
    _keep(path, text)
    return text


def _apart(architecture: TracedArchitecture, asked: str, limits: Limits) -> str:
    """Findings from a process of its own; raises what `run_limited` does."""
    label = architecture.called(json.loads(asked))
    surroundings = _SURROUNDINGS.get()
    surroundings.log(f"tracing {label} in a process of its own: {asked}")
    text: str = run_limited(
        f"Tracing {label}",
        examine,
        architecture,
        asked,
        limits=limits,
        check=surroundings.check,
    )
    return text


def examine(architecture: TracedArchitecture, asked: str) -> str:
    """Build and trace the network that is asked for, both as JSON, in this process."""
    config = json.loads(asked)
    _check_sketch(architecture, config)
    network = architecture.built_original(config)
    channels, size = config["in_channels"], config["image_size"]
    widths = {}
    first = next((n for n, m in network.named_modules() if isinstance(m, nn.Conv2d)), None)
    if first is not None and (conv := network.get_submodule(first)).in_channels != channels:
        widths[first] = [channels, conv.out_channels]
        architecture.widen(network, widths)
    try:
        found = find_prunable(
            network,
            (channels, size, size),
            config["classes"],
            prove=not architecture.is_known,
        )
    except InvalidInput as error:
        raise refusal(architecture, config, error) from error
    return json.dumps({"widths": widths, "norms": found.norms, "left_out": found.left_out})


def refusal(
    architecture: TracedArchitecture, config: dict[str, Any], error: InvalidInput
) -> InvalidInput:
    """The same error, with the name of the network."""
    message = f"{architecture.called(config)} cannot be taken. {error.message}"
    return InvalidInput(message, field=error.field or FIELD, hint=error.hint)


def _check_sketch(architecture: TracedArchitecture, config: dict[str, Any]) -> None:
    """Networks of billions of weights are not built just to be refused."""
    sketch = architecture.sketch(config)
    if sketch is None:
        return
    try:
        check_layers(sketch)
    except InvalidInput as error:
        raise refusal(architecture, config, error) from error


def _place(architecture: TracedArchitecture, asked: str) -> Path | None:
    """The file of these findings: another one for other code."""
    folder = _SURROUNDINGS.get().folder
    if folder is None:
        return None
    key = json.dumps([architecture.name, asked, _versions(), architecture.stamp()])
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


def _versions() -> list[str]:
    """Of Recede and of everything that it may use: what is not installed has none."""
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
        whole = {"widths", "norms", "left_out"} <= set(json.loads(text))
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
