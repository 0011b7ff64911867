"""Named plans as answers."""

from __future__ import annotations

from recede.contract.schemas import PlanOut
from recede.contract.spec.run import Plan
from recede.store.tables.cuts import PlanRow


def plan_out(row: PlanRow) -> PlanOut:
    """One named plan."""
    return PlanOut(
        id=row.id,
        run_id=row.run_id,
        name=row.name,
        notes=row.notes,
        plan=Plan.model_validate(row.plan),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
