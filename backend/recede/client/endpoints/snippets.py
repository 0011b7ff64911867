"""Requests for text to copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recede.client.endpoints.call import (
    API,
    Call,
    body,
    plan_json,
    spec_json,
)
from recede.contract.schemas import (
    CutSnippets,
    RunSnippets,
    SnippetTarget,
)
from recede.contract.spec.run import Plan, RunSpec


def run_snippets(
    spec: RunSpec | dict[str, Any],
    *,
    origin: str,
    axes: Mapping[str, Sequence[Any]] | None = None,
) -> Call[RunSnippets]:
    """What submits a run, or with `axes` a group: a command, curl and Python.

    `origin` is where the service is reached: "http://127.0.0.1:8400".
    """
    wanted = {"spec": spec_json(spec), "axes": dict(axes or {}), "origin": origin}
    return Call("POST", f"{API}/snippets", body(RunSnippets), json=wanted)


def cut_snippets(
    run_id: str, plan: Plan, *, origin: str, target: SnippetTarget | None = None
) -> Call[CutSnippets]:
    """All that can be done with a cut, each as a command, as curl and as Python."""
    asked = None if target is None else target.model_dump(mode="json")
    wanted = {"plan": plan_json(plan), "target": asked, "origin": origin}
    return Call("POST", f"{API}/runs/{run_id}/snippets", body(CutSnippets), json=wanted)
