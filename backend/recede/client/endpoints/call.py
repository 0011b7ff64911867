"""One request as data, so that both clients share one description of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx
from pydantic import TypeAdapter

API = "/api/v1"
T = TypeVar("T")


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request and how to read its answer."""

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    params: dict[str, Any] = field(default_factory=dict)
    json: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def body(kind: Any) -> Callable[[httpx.Response], Any]:
    """Reads an answer's JSON as this type."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    return lambda response: adapter.validate_json(response.content)


def given(**params: Any) -> dict[str, Any]:
    """Those that are not None."""
    return {name: value for name, value in params.items() if value is not None}


def key(idempotency_key: str | None) -> dict[str, str]:
    """The header that makes a repeated submission queue only once."""
    return {"Idempotency-Key": idempotency_key} if idempotency_key else {}
