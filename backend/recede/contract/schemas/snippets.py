"""Snippets: an action as text to copy, for the command line, for curl and for Python."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from recede.contract.addresses import ORIGIN
from recede.contract.cut.targets import Target, TargetKind
from recede.contract.schemas.groups import Axes
from recede.contract.spec.run import Plan, RunSpec, Text

Action = Literal["prune", "preview", "measure", "curve", "solve", "latency", "save"]
Origin = Annotated[
    Text,
    Field(
        max_length=300,
        pattern=ORIGIN,
        description="an http or https origin, for example http://127.0.0.1:8400",
    ),
]


class SnippetTarget(BaseModel):
    """What a cut is asked to cost or keep; a latency is in milliseconds, at a batch size."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: TargetKind | Literal["latency"]
    value: Annotated[float, Field(ge=0, le=1e18, allow_inf_nan=False, strict=True)]
    relative: Annotated[bool, Field(strict=True)] = False
    batch: Annotated[int, Field(ge=1, le=65_536, strict=True)] = 1

    @model_validator(mode="after")
    def _one_that_can_be_asked_for(self) -> SnippetTarget:
        if self.kind != "latency":
            Target(kind=self.kind, value=self.value, relative=self.relative)
        elif self.relative:
            raise ValueError("a latency is given in milliseconds; it cannot be relative")
        return self


class CutSnippetsBody(BaseModel):
    """A cut, the target that it was solved for if there is one, and the address of the service."""

    model_config = ConfigDict(extra="forbid")

    plan: Plan
    target: SnippetTarget | None = None
    origin: Origin


class RunSnippetsBody(BaseModel):
    """A training, or a grid of them, and the address of the service."""

    model_config = ConfigDict(extra="forbid")

    spec: RunSpec
    axes: Axes = {}
    origin: Origin


class RunSnippets(BaseModel):
    """One action in three ways; each text is complete and can be run as it is."""

    command: str
    curl: str
    python: str


class ActionSnippets(RunSnippets):
    """The same with the name of the action, and a label for people."""

    action: Action
    label: str


class CutSnippets(BaseModel):
    """All that can be done with a cut."""

    items: list[ActionSnippets]


class FileSnippet(BaseModel):
    """How a file of a checkpoint is used: Python, or a command for a terminal."""

    name: Literal["torch", "onnx", "int8", "verify"]
    label: str
    code: str
