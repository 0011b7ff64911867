"""One request as data, so that both clients share one description of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx
import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from recede.client.endpoints.errors import refused, unsendable
from recede.contract.spec.run import Plan, RunSpec

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

    def request(self, http: httpx.Client | httpx.AsyncClient) -> httpx.Request:
        """The request, ready to be sent; raises InvalidInput if JSON cannot hold its body."""
        try:
            return http.build_request(
                self.method, self.path, params=self.params, json=self.json, headers=self.headers
            )
        except (TypeError, ValueError) as error:
            raise unsendable(error) from error

    def answer(self, response: httpx.Response) -> T:
        """What the service answered; raises ApiError if it refused."""
        if response.is_error:
            raise refused(response)
        return self.read(response)


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


def plan_json(plan: Plan) -> dict[str, Any]:
    """A plan as the API takes it."""
    return plan.model_dump(mode="json")


def spec_json(spec: RunSpec | dict[str, Any]) -> dict[str, Any]:
    """A spec as the API takes it; a dictionary is one already."""
    return spec.model_dump(mode="json") if isinstance(spec, RunSpec) else spec


def read_float32(response: httpx.Response) -> npt.NDArray[np.float32]:
    """Reads an answer's little-endian floats."""
    return np.frombuffer(response.content, dtype="<f4").astype(np.float32)


def nothing(_: httpx.Response) -> None:
    """Reads an answer that has no body."""
