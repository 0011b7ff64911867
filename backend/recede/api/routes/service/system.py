"""Health, metrics for Prometheus, and the stream of events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from sqlalchemy.orm import Session

from recede.api.deps import Ctx
from recede.contract.errors import InvalidInput
from recede.contract.schemas import Health
from recede.contract.states import Lane, State
from recede.store.networks import runs
from recede.store.queue import jobs, workers

router = APIRouter(tags=["System"])
root = APIRouter()
"""The same health and metrics where load balancers and Prometheus look for them."""

_MAX_EVENT_ID = 2**31 - 1


@root.get("/healthz")
@router.get("/healthz")
def health(services: Ctx) -> Health:
    """Whether the service and its store work."""
    with services.store.read() as session:
        alive = _alive(session)
    return Health(
        status="ok",
        version=services.version,
        store=services.store.dialect,
        workers_alive=alive,
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
        counts = runs.counts(session)
        depths = {lane: jobs.lane_depth(session, lane) for lane in Lane}
        alive = _alive(session)
    lines = [
        *_metric("recede_runs", "Runs by state."),
        *(f'recede_runs{{state="{state.value}"}} {counts.get(state.value, 0)}' for state in State),
        *_metric("recede_queue_depth", "Queued jobs by lane."),
        *(f'recede_queue_depth{{lane="{lane.value}"}} {depth}' for lane, depth in depths.items()),
        *_metric("recede_workers_alive", "Workers heard of in the last 15 seconds."),
        f"recede_workers_alive {alive}",
    ]
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


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
) -> StreamingResponse:
    """What happens, as server-sent events; with Last-Event-ID what came after it is replayed."""
    last_id = _event_id(last_event_id or replay_from)
    return StreamingResponse(
        services.hub.stream(run_id, last_id),
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


def _alive(session: Session) -> int:
    return sum(silent_s < workers.STALE_S for _, silent_s in workers.all_workers(session))


def _metric(name: str, help_: str) -> list[str]:
    return [f"# HELP {name} {help_}", f"# TYPE {name} gauge"]
