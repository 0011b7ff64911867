"""Health, metrics for Prometheus, and the stream of events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from recede.api.answers.service.metrics import metrics_text, workers_alive
from recede.api.http.deps import Ctx
from recede.contract.errors import InvalidInput
from recede.contract.schemas import Health

router = APIRouter(tags=["System"])
root = APIRouter()
"""The same health and metrics where load balancers and Prometheus look for them."""

_MAX_EVENT_ID = 2**31 - 1
_MAX_LAST_S = 3600


@root.get("/healthz")
@router.get("/healthz")
def health(services: Ctx) -> Health:
    """Whether the service and its store work."""
    with services.store.read() as session:
        alive = workers_alive(session)
    return Health(
        status="ok",
        version=services.version,
        store=services.store.dialect,
        workers_alive=alive,
        worker_starting=not alive and services.keeps_worker(),
    )


@root.get("/metrics", response_class=PlainTextResponse)
@router.get(
    "/metrics",
    response_class=Response,  # of no type: its errors are described as JSON
    responses={200: {"description": "Prometheus' text", "content": {"text/plain": {}}}},
)
def metrics(services: Ctx) -> PlainTextResponse:
    """Runs by state, depth of the queue and live workers, for Prometheus."""
    with services.store.read() as session:
        text = metrics_text(session)
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"description": "A stream of events", "content": {"text/event-stream": {}}}},
)
async def events(
    services: Ctx,
    run_id: Annotated[str | None, Query(pattern="^[a-z0-9]{1,64}$")] = None,
    last_event_id: Annotated[str | None, Header()] = None,
    replay_from: Annotated[
        str | None, Query(alias="last_event_id", description="As the header, for links")
    ] = None,
    last_s: Annotated[
        float,
        Query(ge=0, le=_MAX_LAST_S, description="Without an id: replay so many seconds, too"),
    ] = 0.0,
) -> StreamingResponse:
    """What happens, as server-sent events; with Last-Event-ID what came after it is replayed."""
    last_id = _event_id(last_event_id or replay_from)
    return StreamingResponse(
        services.hub.stream(run_id, last_id, last_s),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _event_id(given: str | None) -> int | None:
    if not given:
        return None
    if not given.isascii() or not given.isdigit():
        raise InvalidInput(
            f"Last-Event-ID was {given[:80]!r}; it must be a whole number.",
            field="Last-Event-ID",
            hint="Leave it out to begin now, or give 0 for all that is kept.",
        )
    return min(int(given[:12]), _MAX_EVENT_ID)
