"""The errors that users may see; each says what was given, what was wanted and how to fix it.

RecedeError
├── InvalidInput          a value that cannot be used
│   ├── UnknownName       a name that is not in the catalog
│   └── ImpossiblePlan    a cut that this network cannot have
├── NotFound              a run, job, checkpoint or epoch that does not exist
├── Conflict              right in itself, but not in the present state
│   └── WeightsGone       the weights of that epoch were not kept
├── Unavailable           try again: the store is busy or no worker has started yet
├── StorageProblem        a folder or file that cannot be read or written
└── SchemaMismatch        the store was written by another version of Recede
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

SHOWN_NAMES = 40  # longer lists are counted instead


class RecedeError(Exception):
    """Root of all errors that are shown in words; `field` is a dotted path into the input.

    `details` is for programs: what the hint says, as JSON.
    """

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        hint: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.hint = hint
        self.details = dict(details or {})

    def as_dict(self) -> dict[str, Any]:
        """The one JSON shape of an error: code, message; where known field, hint and details."""
        optional = {"field": self.field, "hint": self.hint, "details": self.details}
        present = {key: value for key, value in optional.items() if value}
        return {"code": self.code, "message": self.message, **present}


class InvalidInput(RecedeError):
    """A value that cannot be used."""

    code = "invalid_input"


class UnknownName(InvalidInput):
    """A name that is not in the catalog."""

    code = "unknown_name"

    def __init__(self, kind: str, given: str, known: Iterable[str], *, field: str) -> None:
        names = sorted(known)
        shown = ", ".join(names) if len(names) <= SHOWN_NAMES else f"{len(names)} names"
        close = difflib.get_close_matches(given, names, n=1)
        choice = f"Use one of: {shown}." if names else "Remove it: none is accepted here."
        hint = f"Did you mean {close[0]!r}?" if close else choice
        super().__init__(
            f"Unknown {kind} {given!r}; known: {shown or 'none'}.",
            field=field,
            hint=hint,
        )


class ImpossiblePlan(InvalidInput):
    """A cut that this network cannot have."""

    code = "impossible_plan"


class NotFound(RecedeError):
    """A run, job, checkpoint or epoch that does not exist."""

    code = "not_found"


class Conflict(RecedeError):
    """Right in itself, but not in the present state."""

    code = "conflict"


class WeightsGone(Conflict):
    """The weights of that epoch were not kept.

    `details` has `kept_epochs`, all that were, and `nearest_epoch`, the closest of them.
    """

    code = "weights_gone"


class Unavailable(RecedeError):
    """Try again: the store is busy or no worker has started yet."""

    code = "unavailable"


class NotInstalled(RecedeError):
    """An optional package is needed that this installation does not have."""

    code = "not_installed"


class StorageProblem(RecedeError):
    """A folder or file that cannot be read or written."""

    code = "storage"


class SchemaMismatch(RecedeError):
    """The store was written by another version of Recede."""

    code = "schema_mismatch"


def words_of(error: Exception) -> str:
    """An error in one line, with what can be done about it where that is known."""
    if isinstance(error, RecedeError):
        return " ".join(filter(None, (error.message, error.hint)))
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}{f' ({error.filename})' if error.filename else ''}."
    return f"{type(error).__name__}: {error}."
