"""What can be trained, and by whom."""

from __future__ import annotations

from fastapi import APIRouter

from recede.api.http.deps import Ctx
from recede.contract.schemas import Page, WorkerOut
from recede.contract.spec.catalog import Catalog
from recede.store.queue import workers

router = APIRouter(tags=["Catalog"])


@router.get("/catalog")
def get_catalog(services: Ctx) -> Catalog:
    """Methods, architectures, data sets and devices, with the bounds of every parameter."""
    with services.store.read() as session:
        return workers.catalog(session)


@router.get("/workers")
def list_workers(services: Ctx) -> Page[WorkerOut]:
    """Worker processes, the one heard of last first."""
    with services.store.read() as session:
        rows = workers.all_workers(session)
    return Page(
        items=[
            WorkerOut(
                id=row.id,
                host=row.host,
                pid=row.pid,
                alive=silent_s < workers.STALE_S,
                last_seen_s=silent_s if row.heartbeat_at else None,
                started_at=row.started_at,
                devices=list(Catalog.model_validate(row.catalog).devices),
                versions=row.versions,
            )
            for row, silent_s in rows
        ]
    )
