"""Named plans: cuts that are saved with a run, to come back to or to share."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recede.contract.errors import Conflict, NotFound
from recede.contract.spec.run import Plan
from recede.store.database.clock import db_now
from recede.store.events import log
from recede.store.tables.cuts import PlanRow

MOST = 200
"""Named plans of one run: a list that is still read as a whole."""


def of_run(session: Session, run_id: str) -> Sequence[PlanRow]:
    """All of a run, by the time at which they were first saved."""
    query = select(PlanRow).where(PlanRow.run_id == run_id).order_by(PlanRow.id)
    return session.scalars(query).all()


def get(session: Session, run_id: str, plan_id: int) -> PlanRow:
    """One plan of this run; raises NotFound."""
    row = session.get(PlanRow, plan_id)
    if row is None or row.run_id != run_id:
        raise NotFound(
            f"Run {run_id} has no plan {plan_id}.",
            hint="It may have been deleted; its run lists the plans that it has.",
        )
    return row


def create(session: Session, run_id: str, *, name: str, notes: str, plan: Plan) -> PlanRow:
    """Keep a plan under a name.

    Raises:
        Conflict: the run has a plan of this name, or as many as it may have.
    """
    _free_name(session, run_id, name)
    count = session.scalar(select(func.count()).where(PlanRow.run_id == run_id)) or 0
    if count >= MOST:
        raise Conflict(
            f"Run {run_id} has {count} named plans, as many as a run may have.",
            hint="Delete one that is no longer needed.",
        )
    now = db_now()
    row = PlanRow(
        run_id=run_id,
        name=name,
        notes=notes,
        plan=plan.model_dump(mode="json"),
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    _tell(session, row)
    return row


def change(
    session: Session,
    run_id: str,
    plan_id: int,
    *,
    name: str | None = None,
    notes: str | None = None,
    plan: Plan | None = None,
) -> PlanRow:
    """Rename a plan, change its notes or what it cuts; what is None stays as it is.

    Raises:
        NotFound: the run has no such plan.
        Conflict: another plan of the run has this name.
    """
    row = get(session, run_id, plan_id)
    if name is not None and name != row.name:
        _free_name(session, run_id, name)
        row.name = name
    if notes is not None:
        row.notes = notes
    if plan is not None:
        row.plan = plan.model_dump(mode="json")
    row.updated_at = db_now()
    session.flush()
    session.refresh(row)
    _tell(session, row)
    return row


def remove(session: Session, run_id: str, plan_id: int) -> None:
    """Delete a plan; raises NotFound."""
    row = get(session, run_id, plan_id)
    name = row.name
    session.delete(row)
    session.flush()
    log.append(session, "plan", run_id=run_id, data={"id": plan_id, "name": name, "deleted": True})


def _free_name(session: Session, run_id: str, name: str) -> None:
    query = select(PlanRow.id).where(PlanRow.run_id == run_id, PlanRow.name == name)
    if session.scalar(query) is not None:
        raise Conflict(
            f"Run {run_id} already has a plan named {name!r}.",
            field="name",
            hint="Choose another name, or update that plan.",
        )


def _tell(session: Session, row: PlanRow) -> None:
    data = {"id": row.id, "name": row.name, "deleted": False}
    log.append(session, "plan", run_id=row.run_id, data=data)
