"""What routes are handed: the services, checked ids, page cursors."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi import Path as InPath
from pydantic import AfterValidator, BeforeValidator

from recede.api.answers.histograms import HistogramCache
from recede.api.live.stream import EventHub
from recede.contract.errors import (
    InvalidInput,
    NotFound,
    UnknownName,
)
from recede.contract.spec.run import Text
from recede.settings import Settings
from recede.store.database.engine import Store

MAX_ROW_ID = 2**31 - 1  # ids of jobs and epochs are 32-bit columns on PostgreSQL
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.IGNORECASE)


@dataclass(frozen=True)
class Services:
    """What the routes of one app share."""

    settings: Settings
    store: Store
    hub: EventHub
    version: str
    histograms: HistogramCache = field(default_factory=HistogramCache)

    def run_folder(self, run_id: str) -> Path:
        """Folder of a run's files; the id was checked to be one plain name."""
        return self.settings.artifacts / "runs" / run_id


def _services(request: Request) -> Services:
    services = request.app.state.services
    assert isinstance(services, Services)
    return services


def known_query(request: Request) -> None:
    """Refuse a query parameter that the route does not have: it would do nothing, silently."""
    known = [field.alias for field in request.scope["route"].dependant.query_params]
    for name in request.query_params:
        if name not in known:
            raise UnknownName("query parameter", name[:80], known, field=name[:80])


def _one_name(kind: str) -> AfterValidator:
    def check(given: str) -> str:
        if not _ID.fullmatch(given):
            raise NotFound(
                f"There is no {kind} {given[:80]!r}.", hint="Ids are letters and digits."
            )
        return given

    return AfterValidator(check)


def _number(kind: str) -> BeforeValidator:
    def check(given: Any) -> int:
        text = str(given)
        if not text.isascii() or not text.isdigit() or int(text[:12]) > MAX_ROW_ID:
            raise NotFound(f"There is no {kind} {text[:80]!r}.", hint="It is a whole number.")
        return int(text)

    return BeforeValidator(check)


Ctx = Annotated[Services, Depends(_services)]
RunId = Annotated[str, _one_name("run"), InPath(description="Id of a run")]
GroupId = Annotated[str, _one_name("group"), InPath(description="Id of a group")]
CheckpointId = Annotated[str, _one_name("checkpoint"), InPath(description="Id of a checkpoint")]
PlanId = Annotated[int, _number("plan"), InPath(description="Id of a named plan")]
JobId = Annotated[int, _number("job"), InPath(description="Id of a job")]
Epoch = Annotated[int, _number("epoch"), InPath(description="Epoch; 0 is the untrained network")]
Limit = Annotated[int, Query(ge=1, le=200, description="Length of a page")]
Cursor = Annotated[Text | None, Query(description="`next` of the page before")]


def encode_cursor(*parts: float | str) -> str:
    """An opaque place in a list."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: type) -> list[Any]:
    """The parts of a cursor; raises InvalidInput if it is none of ours."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = json.loads(base64.urlsafe_b64decode(padded.encode()))
    except (ValueError, binascii.Error):
        parts = None
    fits = isinstance(parts, list) and [type(part) for part in parts] == list(kinds)
    if not fits:
        raise InvalidInput(
            f"cursor was {cursor[:80]!r}; it must be the `next` of the page before.",
            field="cursor",
            hint="Leave it out for the first page.",
        )
    assert isinstance(parts, list)
    return parts
