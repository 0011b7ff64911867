"""The one mapper from errors to answers: only here are HTTP status codes known."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from recede.contract.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    RecedeError,
    SchemaMismatch,
    StorageProblem,
    Unavailable,
)
from recede.contract.schemas import ErrorOut
from recede.contract.validation import in_words

log = logging.getLogger("recede.web")

RETRY_AFTER_S = 2

Answers = dict[int | str, dict[str, Any]]
"""What a route may answer, as FastAPI's `responses` wants it."""


class Forbidden(RecedeError):
    """A request that comes from where it may not come."""

    code = "forbidden"


class TooLarge(RecedeError):
    """A body beyond what the service reads."""

    code = "too_large"


class MethodNotAllowed(RecedeError):
    """A path that exists, asked in a way that does not; `allowed` are the ways that do."""

    code = "method_not_allowed"

    def __init__(self, method: str, path: str, allowed: list[str]) -> None:
        names = ", ".join(allowed)
        super().__init__(f"{path} does not take {method}; it takes {names}.")
        self.allowed = names


class RangeUnsatisfiable(RecedeError):
    """A byte range that starts after the end of the file of `size_bytes`."""

    code = "range"

    def __init__(self, given: str, size_bytes: int) -> None:
        super().__init__(
            f"Range {given!r} starts after the end of the file; it has {size_bytes} bytes.",
            hint="Ask without a range, or download the file again.",
        )
        self.size_bytes = size_bytes


STATUSES: dict[type[RecedeError], int] = {
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    Conflict: 409,
    TooLarge: 413,
    RangeUnsatisfiable: 416,
    InvalidInput: 422,
    RecedeError: 500,
    SchemaMismatch: 500,
    Unavailable: 503,
    StorageProblem: 507,
}

_DESCRIPTIONS = {
    403: "Refused: the request comes from another site or by an unknown host name",
    404: "Not found",
    409: "Not possible in the present state",
    413: "The body is too large",
    416: "The range starts after the end of the file",
    422: "A value that cannot be used; `field` says which",
    500: "An error of the service itself; its log has the details",
    503: "Busy, or no worker has started yet; try again after Retry-After seconds",
    507: "A file or folder cannot be read or written",
}


def documented(*statuses: int, answers: Answers | None = None) -> Answers:
    """The error answers of a route for its OpenAPI description, beside `answers`."""
    known: Answers = {s: {"model": ErrorOut, "description": _DESCRIPTIONS[s]} for s in statuses}
    return {**(answers or {}), **known}


def status_of(error: RecedeError) -> int:
    """The HTTP status of an error, by its nearest known class."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def answer(error: RecedeError) -> JSONResponse:
    """The answer that carries an error in words."""
    headers = {}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = error.allowed
    if isinstance(error, RangeUnsatisfiable):
        headers["Content-Range"] = f"bytes */{error.size_bytes}"
    body = error.as_dict()
    words = {
        key: _sendable(value) if isinstance(value, str) else value for key, value in body.items()
    }
    return JSONResponse({"error": words}, status_of(error), headers)


def _sendable(text: str) -> str:
    """The text with halves of characters (lone surrogates) written as escapes."""
    return text.encode(errors="backslashreplace").decode()


def install(app: FastAPI) -> None:
    """Give every error of the app the one shape."""
    app.add_exception_handler(RecedeError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RecedeError)
    if status_of(error) == 500:
        log.error("%s", error, exc_info=error)
    return answer(error)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return answer(in_words(error.errors(), _body_model(request)))


def _body_model(request: Request) -> type[BaseModel] | None:
    field = getattr(request.scope.get("route"), "body_field", None)
    annotation = getattr(getattr(field, "field_info", None), "annotation", None)
    fits = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return annotation if fits else None


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    path = request.url.path
    allowed = (error.headers or {}).get("Allow", "").split(", ")
    words: dict[int, RecedeError] = {
        404: NotFound(f"There is nothing at {path}.", hint="/docs lists every route."),
        400: InvalidInput(
            f"The body cannot be read: {error.detail}.",
            hint="Send one JSON object with Content-Type: application/json.",
        ),
        405: MethodNotAllowed(request.method, path, allowed),
    }
    known = words.get(error.status_code)
    if known is not None:
        return answer(known)
    body = {"error": {"code": "http", "message": str(error.detail)}}
    return JSONResponse(body, error.status_code, error.headers)


async def _unexpected(request: Request, _error: Exception) -> JSONResponse:
    return answer(
        RecedeError(
            f"Something went wrong inside Recede at {request.method} {request.url.path}.",
            hint="The log of the service has the details; nothing else was changed.",
        )
    )
