"""Python text: literals, and calls of the typed client."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_NAMES = {True: "True", False: "False", None: "None"}


def literal(value: Any) -> str:
    """JSON data as a Python literal on one line."""
    if value is None or isinstance(value, bool):
        return _NAMES[value]
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        items = (f"{literal(key)}: {literal(part)}" for key, part in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(literal(part) for part in value)}]"
    return json.dumps(value, ensure_ascii=False)


def block(value: Mapping[str, Any], indent: str = "") -> str:
    """A JSON object with one entry a line; `indent` stands before all lines but the first."""
    entries = (f"{indent}    {literal(key)}: {literal(part)},\n" for key, part in value.items())
    return "{\n" + "".join(entries) + f"{indent}}}"


def arguments(given: Mapping[str, Any]) -> str:
    """Keyword arguments of a call: `epoch=3, scope="global"`."""
    return ", ".join(f"{name}={literal(value)}" for name, value in given.items())


def with_client(origin: str, calls: Sequence[str]) -> str:
    """A script that makes these calls with a client of the service."""
    text = "\n".join(calls)
    names = ["RecedeClient", *(["Plan"] if "Plan(" in text else [])]
    imports = [f"from recede.client import {', '.join(sorted(names))}"]
    if "Target(" in text:
        imports.append("from recede.contract.cut.targets import Target")
    opened = f"with RecedeClient({literal(origin)}) as client:"
    return "\n".join([*imports, "", opened, *(f"    {call}" for call in calls)])
