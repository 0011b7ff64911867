"""Named plans that are kept with a run."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from recede.contract.spec.run import Plan, Text


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


PlanName = Annotated[Text, Field(min_length=1, max_length=80), BeforeValidator(_stripped)]
PlanNotes = Annotated[Text, Field(max_length=10_000)]


class NamedPlanBody(BaseModel):
    """A plan to keep, with the name by which people find it."""

    model_config = ConfigDict(extra="forbid")

    name: PlanName
    notes: PlanNotes = ""
    plan: Plan


class NamedPlanPatch(BaseModel):
    """What is to change of a named plan; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: PlanName | None = None
    notes: PlanNotes | None = None
    plan: Plan | None = None


class PlanOut(BaseModel):
    """A plan that is kept with a run."""

    id: int
    run_id: str
    name: str
    notes: str
    plan: Plan
    created_at: float
    updated_at: float
