"""Plans: kept by name, found by a target, and ranked by the scores of a criterion."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from recede.contract.cut.targets import OpenPlan, Target
from recede.contract.schemas.pruning import PreviewOut
from recede.contract.schemas.runs import JobOut
from recede.contract.spec.run import MAX_EPOCHS, Plan, Text


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


PlanName = Annotated[Text, Field(min_length=1, max_length=80), BeforeValidator(_stripped)]
PlanNotes = Annotated[Text, Field(max_length=10_000)]


class NamedPlanBody(BaseModel):
    """A plan to keep, with its name."""

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


class SolveBody(BaseModel):
    """What a cut should cost or keep, and all of its plan but the ratio."""

    model_config = ConfigDict(extra="forbid")

    plan: OpenPlan = OpenPlan()
    target: Target


class SolveOut(BaseModel):
    """The plan that meets the target, or the one that comes closest to it."""

    plan: Plan
    preview: PreviewOut
    reached: bool
    value: float
    """What the plan's cut has, in the unit of the target: bytes, or an accuracy in [0, 1]."""
    bound: float
    """The best that any ratio of such a plan has: what can be had, if the target cannot."""
    basis: Literal["exact", "curve", "other_curve"]
    """Costs are exact. Accuracies come from the curve; "other_curve" is that of plans without
    this one's locks, overrides, rounding or minimum, at the same share of neurons removed."""


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


class ScoreBody(BaseModel):
    """The epoch whose neurons are to be scored, and by what."""

    model_config = ConfigDict(extra="forbid")

    criterion: Text = Field(min_length=1, max_length=60)
    epoch: Annotated[
        int | None, Field(ge=0, le=MAX_EPOCHS, strict=True), BeforeValidator(_whole)
    ] = None
    """None: the best epoch."""


class ScoreAnswer(BaseModel):
    """The job that computes the scores; null where they are known already."""

    job: JobOut | None
    epoch: int
    criterion: str
