"""Scores of the neurons by criteria other than the method's own importance."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from recede.api.answers.training.jobs import job_out
from recede.api.http.binary import (
    binary,
    not_modified,
    openapi_binary,
)
from recede.api.http.deps import (
    Ctx,
    Epoch,
    RunId,
)
from recede.api.http.errors import documented
from recede.api.rules import cuts
from recede.contract.errors import NotFound
from recede.contract.schemas import ScoreAnswer, ScoreBody
from recede.contract.spec.run import (
    IMPORTANCE,
    Plan,
    ScorePayload,
)
from recede.contract.states import JobKind
from recede.store.experiments import history, runs
from recede.store.queue import jobs
from recede.store.results import evaluations, scores

router = APIRouter(prefix="/runs/{run_id}/scores", tags=["Pruning"])

Criterion = Annotated[
    str, Query(min_length=1, max_length=60, description="Its name in the catalog")
]
Tag = Annotated[str | None, Header(alias="If-None-Match", include_in_schema=False)]


@router.get(
    "/{epoch}",
    response_class=Response,
    responses=openapi_binary("One score per neuron: float32, little-endian, in network order")
    | documented(404),
)
def get_scores(
    services: Ctx,
    run_id: RunId,
    epoch: Epoch,
    criterion: Criterion = IMPORTANCE,
    tag: Tag = None,
) -> Response:
    """The score of every prunable neuron at one epoch; of "importance" the snapshot itself."""
    etag = f'"{run_id}-{epoch}-{criterion.encode().hex()}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    with services.store.read() as session:
        runs.get(session, run_id)
        try:
            raw = scores.ranking(session, run_id, epoch, criterion)
        except scores.ScoreMissing as missing:
            history.snapshot(session, run_id, epoch)
            raise NotFound(missing.message, field="criterion", hint=missing.hint) from missing
    if not_modified(tag, etag):
        return Response(status_code=304, headers=headers)
    return binary(raw.astype("<f4").tobytes(), headers)


@router.post(
    "",
    status_code=202,
    responses=documented(
        404, 409, 413, answers={200: {"model": ScoreAnswer, "description": "Known already"}}
    ),
)
def compute_scores(
    services: Ctx, run_id: RunId, body: ScoreBody, response: Response
) -> ScoreAnswer:
    """Queue the scoring of one epoch's neurons, or give the job that is already at it."""
    with services.store.write() as session:
        run = runs.get(session, run_id)
        asked = Plan(epoch=body.epoch, criterion=body.criterion, ratio=0.0)
        epoch = cuts.settled(session, run, asked).epoch
        assert epoch is not None
        answer = ScoreAnswer(job=None, epoch=epoch, criterion=body.criterion)
        known = scores.known(session, run_id, epoch)
        if body.criterion in (IMPORTANCE, *known):
            response.status_code = 200
            return answer
        evaluations.trained(session, run_id, epoch)
        payload = ScorePayload(epoch=epoch, criterion=body.criterion).model_dump(mode="json")
        job = jobs.under_way(session, run_id, JobKind.SCORE, payload)
        job = job or jobs.enqueue(session, run_id, JobKind.SCORE, payload)
        return answer.model_copy(update={"job": job_out(session, job)})
