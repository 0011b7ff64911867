"""Runs a function in a process of its own, under a limit of memory and time.

Untested code, such as a user's own network, can then neither take all memory of the machine nor
hang or crash the job. The limit of memory is the kernel's (RLIMIT_AS), which Linux enforces.
macOS accepts it without effect: there only time is limited and a crash contained. Windows has no
such limit, and the worker does not run on it natively.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import psutil
import torch

from recede.contract.errors import InvalidInput, RecedeError
from recede_worker.core.device.memory import is_out_of_memory
from recede_worker.process.lifetime import end_with_parent, warm_context
from recede_worker.process.limits import MEMORY_VARIABLE, SECONDS_VARIABLE, Limits

POLL_S = 0.1
GIB = 2**30


class LimitReached(RecedeError):
    """The process exceeded its limits or crashed; nothing else was affected."""

    code = "limit_reached"


def run_limited(
    what: str,
    function: Callable[..., Any],
    *args: Any,
    limits: Limits,
    check: Callable[[], None] = lambda: None,
    preload: str = __name__,
) -> Any:
    """The result of the function, run in another process; `check` may raise to end it early.

    Function, arguments and result must be picklable; `what` is the subject of an error's
    sentence. Processes start from a server that has imported the module `preload`.

    Raises:
        InvalidInput: the function refused its input.
        LimitReached: it took too much memory or time, crashed or raised anything else.
    """
    context = warm_context(preload)
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=_answer, args=(theirs, limits, function, args), name="limited", daemon=True
    )
    process.start()
    theirs.close()  # the only other end is theirs, so its closing is noticed
    deadline = time.monotonic() + limits.seconds
    try:
        while not ours.poll(POLL_S):
            check()
            if time.monotonic() > deadline:
                raise _too_long(what, limits)
        kind, value = ours.recv()
    except EOFError:
        process.join()
        raise _crashed(what, limits, process.exitcode) from None
    finally:
        process.kill()
        process.join()
        ours.close()
    if kind == "result":
        return value
    if kind == "refused":
        raise InvalidInput(**value)
    raise _no_memory(what, limits) if kind == "memory" else _failed(what, value)


def _answer(
    theirs: Connection, limits: Limits, function: Callable[..., Any], args: tuple[Any, ...]
) -> None:
    """In the other process: run the function and send its result."""
    end_with_parent("the process that waits for this result")
    torch.set_num_threads(1)  # each thread reserves address space of its own
    _limit_memory(limits)
    try:
        answer: tuple[str, Any] = ("result", function(*args))
    except Exception as error:  # noqa: BLE001 - the boundary of the process: it reports the failure
        answer = _reported(error)
    theirs.send(answer)


def _reported(error: BaseException) -> tuple[str, Any]:
    cause: BaseException | None = error
    while cause is not None:
        if is_out_of_memory(cause):
            return "memory", ""
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, RecedeError):
        return "refused", {"message": error.message, "field": error.field, "hint": error.hint}
    return "failed", f"{type(error).__name__}: {error}"


def _limit_memory(limits: Limits) -> None:
    most = psutil.Process().memory_info().vms + int(limits.memory_gb * GIB)
    with suppress(ValueError, OSError):  # a smaller limit is in force already
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _hint() -> str:
    return (
        f"Choose another network or smaller images, or raise {MEMORY_VARIABLE} (GiB) or "
        f"{SECONDS_VARIABLE} (seconds) and restart the worker."
    )


def _error(message: str) -> LimitReached:
    return LimitReached(message, field="architecture", hint=_hint())


def _too_long(what: str, limits: Limits) -> LimitReached:
    return _error(f"{what} took longer than {limits.seconds:g} seconds and was stopped.")


def _no_memory(what: str, limits: Limits) -> LimitReached:
    return _error(
        f"{what} needs more than the {limits.memory_gb:g} GiB of memory that it may use."
    )


def _crashed(what: str, limits: Limits, exit_code: int | None) -> LimitReached:
    code = exit_code or 0
    how = f"with signal {-code}" if code < 0 else f"with exit code {code}"
    return _error(
        f"{what} crashed its process {how}, often because it needs more than the "
        f"{limits.memory_gb:g} GiB of memory that it may use."
    )


def _failed(what: str, reason: str) -> LimitReached:
    return _error(f"{what} failed: {reason}")
