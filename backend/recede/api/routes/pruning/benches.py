"""Latency where it will run: what devices elsewhere timed, and the script that times there."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter, Response

from recede.api.answers.pruning.benches import fast_enough
from recede.api.answers.training.checkpoints import bench_out
from recede.api.http.deps import Ctx, RunId
from recede.api.http.errors import documented
from recede.contract.errors import NotFound
from recede.contract.schemas import (
    BenchAnswer,
    BenchBody,
    BenchedCheckpoint,
    BenchOut,
    BenchSolveOut,
    BenchTargetBody,
    Page,
)
from recede.store.experiments import runs
from recede.store.results import benches, evaluations

router = APIRouter(tags=["Pruning"])

SCRIPT = "recede_bench.py"
"""What the script is called where it is downloaded."""


@router.post("/benches", responses=documented(404, 413))
def add_benches(services: Ctx, body: BenchBody) -> BenchAnswer:
    """Keep what a device timed of a file with each checkpoint that has this file.

    The same file under the same conditions is kept once, as timed last.
    """
    rows = [row.model_dump() for row in body.rows]
    with services.store.write() as session:
        found = benches.holders(session, body.sha256)
        if not found:
            raise NotFound(
                f"No checkpoint has a network file with SHA-256 {body.sha256}.",
                hint="Time a file that was downloaded from this service, as it was downloaded.",
            )
        for checkpoint, format_ in found:
            benches.put(session, checkpoint, format_, rows)
        kept = [
            BenchedCheckpoint(id=checkpoint.id, run_id=checkpoint.run_id, format=format_)
            for checkpoint, format_ in found
        ]
    return BenchAnswer(checkpoints=kept)


@router.get("/runs/{run_id}/benches", responses=documented(404))
def list_benches(services: Ctx, run_id: RunId) -> Page[BenchOut]:
    """What devices elsewhere timed of a run's files, by device."""
    with services.store.read() as session:
        runs.get(session, run_id)
        ids = [row.id for row in evaluations.checkpoints(session, run_id)]
        return Page(items=[bench_out(row) for row in benches.known(session, ids)])


@router.post("/runs/{run_id}/benches/solve", responses=documented(404, 413))
def solve_benched(services: Ctx, run_id: RunId, body: BenchTargetBody) -> BenchSolveOut:
    """The network that removes least among those timed on a device that are fast enough there.

    Only networks that were timed there are compared; nothing is interpolated.
    """
    with services.store.read() as session:
        runs.get(session, run_id)
        return fast_enough(session, run_id, body.device, body.target_ms, body.batch)


@router.get(
    "/bench.py",
    response_class=Response,
    responses={200: {"description": "Python", "content": {"text/x-python": {}}}},
)
def bench_script() -> Response:
    """The script that times an ONNX file with onnxruntime and numpy alone, and sends the rows."""
    text = files("recede.bench").joinpath("onnx_latency.py").read_bytes()
    headers = {"Content-Disposition": f'attachment; filename="{SCRIPT}"'}
    return Response(text, media_type="text/x-python", headers=headers)
