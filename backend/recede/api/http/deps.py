"""What routes depend on: the services, checked ids and the parameters that many share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request
from pydantic import AfterValidator, BeforeValidator

from recede.api.answers.training.histograms import HistogramCache
from recede.api.live.stream import EventHub
from recede.contract.errors import (
    NotFound,
    UnknownName,
)
from recede.contract.spec.run import Text
from recede.settings import Settings
from recede.store.database.engine import Store

MAX_ROW_ID = 2**31 - 1  # ids of jobs and epochs are 32-bit columns on PostgreSQL
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.IGNORECASE)

_KEY = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class Services:
    """What the routes of one app share."""

    settings: Settings
    store: Store
    hub: EventHub
    version: str
    keeps_worker: Callable[[], bool] = lambda: False
    """Whether the process of the worker that this service started runs, be it ready or not."""
    histograms: HistogramCache = field(default_factory=HistogramCache)


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


def _recording_key(given: str) -> str:
    if not _KEY.fullmatch(given):
        raise NotFound(
            f"There is no recording {given[:80]!r}.", hint="A key is 32 hexadecimal digits."
        )
    return given


Ctx = Annotated[Services, Depends(_services)]
RunId = Annotated[str, _one_name("run"), Path(description="Id of a run")]
RecordingKey = Annotated[
    str,
    AfterValidator(_recording_key),
    Path(description="The recording's own: 32 hexadecimal digits"),
]
GroupId = Annotated[str, _one_name("group"), Path(description="Id of a group")]
CheckpointId = Annotated[str, _one_name("checkpoint"), Path(description="Id of a checkpoint")]
PlanId = Annotated[int, _number("plan"), Path(description="Id of a named plan")]
JobId = Annotated[int, _number("job"), Path(description="Id of a job")]
Epoch = Annotated[int, _number("epoch"), Path(description="Epoch; 0 is the untrained network")]
Limit = Annotated[int, Query(ge=1, le=200, description="Length of a page")]
Cursor = Annotated[Text | None, Query(description="`next` of the page before")]
IdempotencyKey = Annotated[
    str | None,
    Header(max_length=200, description="The same key with the same body queues only once"),
]
