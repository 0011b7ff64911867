"""What can be done with a cut, as text to copy."""

from __future__ import annotations

from fastapi import APIRouter

from recede.api.answers.snippets.cuts import Chosen, cut_snippets
from recede.api.http.deps import Ctx, RunId
from recede.api.http.errors import documented
from recede.api.rules import plan_names
from recede.contract.schemas import CutSnippets, CutSnippetsBody
from recede.contract.spec.run import RunSpec
from recede.store.experiments import runs

router = APIRouter(prefix="/runs/{run_id}", tags=["Pruning"])


@router.post("/snippets", responses=documented(404, 413))
def write_cut_snippets(services: Ctx, run_id: RunId, body: CutSnippetsBody) -> CutSnippets:
    """Every action that makes sense for a cut: a command, curl and Python for each.

    With a `target` the command line asks for that, and the other two for the plan. A plan is
    saved under a name that no other plan of the run has.
    """
    with services.store.read() as session:
        run = runs.get(session, run_id)
        name = plan_names.suggested(session, run, body.plan)
        recorded = RunSpec.model_validate(run.spec).recorded
    return cut_snippets(Chosen(run_id, body.plan, body.target, name, recorded), body.origin)
