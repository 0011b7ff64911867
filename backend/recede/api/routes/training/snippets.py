"""A training as text to copy."""

from __future__ import annotations

from fastapi import APIRouter

from recede.api.answers.snippets.runs import run_snippets
from recede.api.http.errors import documented
from recede.contract.schemas import RunSnippets, RunSnippetsBody

router = APIRouter(tags=["Runs"])


@router.post("/snippets", responses=documented(413))
def write_run_snippets(body: RunSnippetsBody) -> RunSnippets:
    """What submits this training, or with `axes` this grid: a command, curl and Python.

    Nothing is queued, and nothing is checked against the catalog: POST /runs/check does that.
    """
    return run_snippets(body.spec, body.axes, body.origin)
