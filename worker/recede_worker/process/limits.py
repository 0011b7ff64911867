"""Limits of memory and time for code of others; no torch, so that a supervisor can read them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from recede.contract.errors import InvalidInput

MEMORY_VARIABLE, SECONDS_VARIABLE = "RECEDE_TRACE_GB", "RECEDE_TRACE_S"


@dataclass(frozen=True)
class Limits:
    """What the process may use beyond what it starts with."""

    memory_gb: float = 4.0
    """Address space in GiB, on top of what it has when it starts."""
    seconds: float = 120.0

    @property
    def isolate(self) -> bool:
        """Whether to use another process at all: with 0 GiB, none is used."""
        return self.memory_gb > 0

    @staticmethod
    def read(environ: Mapping[str, str]) -> Limits:
        """The values of RECEDE_TRACE_GB (0: no limit) and RECEDE_TRACE_S, or the defaults.

        Raises:
            InvalidInput: one of them is not a number from 0 upwards.
        """
        return Limits(
            _number(environ, MEMORY_VARIABLE, Limits.memory_gb),
            _number(environ, SECONDS_VARIABLE, Limits.seconds),
        )


def _number(environ: Mapping[str, str], variable: str, default: float) -> float:
    text = environ.get(variable, "").strip()
    try:
        number = float(text) if text else default
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise InvalidInput(
            f"{variable} is {text!r}; it must be a number from 0 upwards.",
            field="architecture",
            hint=f"Set it to {default:g}, the default, or remove it, and restart the worker.",
        )
    return number


DEFAULT_LIMITS = Limits()
