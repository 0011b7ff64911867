"""Names of a network's outputs, as files give them, and which output is which class.

Both sides read: the web side before anything is queued, the worker before it takes weights over.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from recede.contract.errors import InvalidInput

MAX_BYTES = 10 * 2**20
"""Far above the names of 21,843 classes."""
FIELD = "init.classes"
ILSVRC = "imagenet1k"
"""In place of a file: the thousand classes of ILSVRC 2012, in the usual order."""
SHOWN = 5  # names that an error lists


class WrongClasses(InvalidInput):
    """Names of outputs that cannot be read, or that are not those of the data set's classes."""

    code = "wrong_classes"


def read_names(path: Path) -> tuple[str, ...]:
    """The names in a file, in the order of the outputs.

    It holds one name a line, or JSON: a list of names, index → name, name → index, or index → a
    list whose first entry is the name.

    Raises:
        WrongClasses: it cannot be read, or holds something else.
    """
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            raise _unusable(path, f"is not a file of at most {MAX_BYTES >> 20} MiB")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise _unusable(path, f"cannot be read: {reason}") from error
    if not text.lstrip().startswith(("[", "{")):
        return _checked(path, [line.strip() for line in text.splitlines() if line.strip()])
    try:
        return _checked(path, _listed(json.loads(text)))
    except (ValueError, TypeError, LookupError, RecursionError):
        raise _unusable(path, "holds JSON that names no outputs") from None


def _listed(given: Any) -> list[Any]:
    if isinstance(given, list):
        return given
    keys = list(given)
    if all(key.isdecimal() for key in keys):
        by_place = {int(key): name for key, name in given.items()}
    else:
        by_place = {place: name for name, place in given.items()}
    first = (by_place[place] for place in range(len(by_place)))
    return [name[0] if isinstance(name, list) else name for name in first]


def _checked(path: Path, names: Sequence[Any]) -> tuple[str, ...]:
    if len(names) < 2 or not all(isinstance(name, str) and name.strip() for name in names):
        raise _unusable(path, "does not name two outputs or more")
    return tuple(name.strip() for name in names)


def plain(name: str) -> str:
    """A name without what spellings differ in: case, underscores and double blanks."""
    return " ".join(name.lower().replace("_", " ").split())


def outputs_of(
    classes: Sequence[str],
    names: Sequence[str],
    key: Callable[[str], object] = plain,
) -> list[int]:
    """For each class of the data set the output that `names` calls so; equal keys are one name.

    Raises:
        WrongClasses: classes that no output is named for, or names that several outputs have.
    """
    keys = [key(name) for name in names]
    several = {found for found, count in Counter(keys).items() if count > 1}
    wanted = [key(name) for name in classes]
    twice = [names[keys.index(one)] for one in wanted if one in several]
    if twice:
        raise WrongClasses(
            f"Several outputs have the name of one class: {_some(twice)}.",
            field=FIELD,
            hint="Name each output once, in the order of the scores.",
        )
    place = {one: index for index, one in enumerate(keys)}
    missing = [name for name, one in zip(classes, wanted, strict=True) if one not in place]
    if missing:
        raise WrongClasses(
            f"{len(missing)} of {len(classes)} classes of the data set are not among the "
            f"{len(names)} outputs: {_some(missing)}. The outputs are called {_some(names)}.",
            field=FIELD,
            hint="Give the outputs the names of the data set's class folders, in the order of the "
            "scores, or use a new head (init.new_head).",
        )
    if len(set(wanted)) < len(wanted):
        alike = [name for name, one in zip(classes, wanted, strict=True) if wanted.count(one) > 1]
        raise WrongClasses(
            f"Classes of the data set have the name of one output: {_some(alike)}.",
            field=FIELD,
            hint="Rename or join their folders.",
        )
    return [place[one] for one in wanted]


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:SHOWN]))
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def _unusable(path: Path, what: str) -> WrongClasses:
    return WrongClasses(
        f"{os.fspath(path.name)!r} {what}.",
        field=FIELD,
        hint="Write one name a line in the order of the scores, or a JSON list.",
    )
