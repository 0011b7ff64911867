"""A name for a plan that is to be saved."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.orm import Session

from recede.contract.spec.run import Plan
from recede.store.experiments import plans
from recede.store.tables.runs import RunRow

LONGEST = 80
UNNAMED = "my plan"


def suggested(session: Session, run: RunRow, plan: Plan) -> str:
    """The name of the saved plan that cuts the same, or "my plan", with a number if taken."""
    saved = plans.of_run(session, run.id)
    wanted = _key(plan, run.best_epoch)
    same = (
        row.name for row in saved if _key(Plan.model_validate(row.plan), run.best_epoch) == wanted
    )
    return free(next(same, UNNAMED), {row.name for row in saved})


def free(base: str, taken: Collection[str]) -> str:
    """The name itself, or with the first number that makes it one of its own."""
    name, number = base, 1
    while name in taken:
        number += 1
        suffix = f" {number}"
        name = base[: LONGEST - len(suffix)].rstrip() + suffix
    return name


def _key(plan: Plan, best_epoch: int | None) -> Plan:
    """The plan with an open epoch fixed and its locks in one order."""
    epoch = best_epoch if plan.epoch is None else plan.epoch
    return plan.model_copy(update={"epoch": epoch, "locks": tuple(sorted(plan.locks))})
