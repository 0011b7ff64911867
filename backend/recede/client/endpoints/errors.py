"""What a client raises: ApiError, with the words of the service."""

from __future__ import annotations

from typing import Any

import httpx

from recede.contract.errors import InvalidInput, RecedeError


class ApiError(RecedeError):
    """The service refused, failed (`status` is its HTTP status) or is not there (status 0)."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str = "error",
        field: str | None = None,
        hint: str | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, field=field, hint=hint, details=details)
        self.status = status
        self.code = code


def refused(response: httpx.Response) -> ApiError:
    """The error that an answer with a status of 400 or more carries."""
    try:
        error = response.json()["error"]
        return ApiError(
            str(error["message"]),
            status=response.status_code,
            code=str(error["code"]),
            field=error.get("field"),
            hint=error.get("hint"),
            details=error.get("details"),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return ApiError(
            f"{response.request.url} answered {response.status_code} without saying why.",
            status=response.status_code,
            hint="Is this address really Recede's?",
        )


def unsendable(error: Exception) -> InvalidInput:
    """A value in the request that JSON cannot hold; nothing was sent."""
    return InvalidInput(
        f"The request holds a value that JSON cannot hold: {error}.",
        hint="Give finite numbers, text, lists and dictionaries only.",
    )


def unreachable(url: httpx.URL | str, error: Exception) -> ApiError:
    """There is no answer at that address."""
    return ApiError(
        f"Nothing answers at {url} ({error or type(error).__name__}).",
        status=0,
        code="unreachable",
        hint="Is `recede up` running? Another address: --url or RECEDE_URL.",
    )


def no_events(url: httpx.URL | str, error: Exception) -> ApiError:
    """What answers at that address sends no events."""
    return ApiError(
        f"{url} sends no stream of events ({error}).",
        status=0,
        code="unreachable",
        hint="Is this address really Recede's?",
    )
