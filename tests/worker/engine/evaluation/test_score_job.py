"""Score jobs, and jobs that compute the scores which their plan ranks by."""

from __future__ import annotations

import numpy as np
import pytest

from recede.contract.cut.selection import select
from recede.contract.errors import UnknownName
from recede.contract.spec.run import (
    EvaluatePayload,
    Plan,
    ScorePayload,
)
from recede.contract.states import JobKind
from recede.store.experiments import history
from recede.store.results import evaluations, scores
from recede_worker.engine.evaluation.ranking import scores_by
from recede_worker.plugins.registry import criteria
from tests.worker.engine.in_process import parent, worker

__all__ = ["parent", "worker"]

OTHERS = list(criteria())[1:]


def run(worker, run_id, kind, payload):
    job = worker.enqueue(run_id, kind, payload)
    result = job.perform().result
    worker.finish(job)
    return result


def stored(worker, run_id, criterion, epoch=3):
    with worker.store.read() as session:
        return scores.get(session, run_id, epoch, criterion)


@pytest.mark.parametrize("criterion", OTHERS)
def test_a_score_job_keeps_one_number_a_neuron(worker, parent, criterion):
    run_id = parent.run_id
    with worker.store.read() as session:
        epoch = evaluations.trained(session, run_id, None).epoch
        shape = history.network(session, run_id)
    result = run(worker, run_id, JobKind.SCORE, ScorePayload(epoch=epoch, criterion=criterion))
    raw = stored(worker, run_id, criterion, epoch)
    assert raw.shape == (shape.n_neurons,)
    assert result == {"epoch": epoch, "criterion": criterion, "neurons": shape.n_neurons}
    again = run(worker, run_id, JobKind.SCORE, ScorePayload(epoch=epoch, criterion=criterion))
    assert again == result
    np.testing.assert_array_equal(stored(worker, run_id, criterion, epoch), raw)


def test_scores_computed_anew_are_the_same(worker, parent):
    run_id = parent.run_id
    with worker.store.read() as session:
        epoch = evaluations.trained(session, run_id, None).epoch
    payload = ScorePayload(epoch=epoch, criterion="taylor")
    run(worker, run_id, JobKind.SCORE, payload)
    first = stored(worker, run_id, "taylor", epoch)
    with worker.store.write() as session:
        session.delete(session.get(scores.ScoreRow, (run_id, epoch, "taylor")))
    run(worker, run_id, JobKind.SCORE, payload)
    np.testing.assert_array_equal(stored(worker, run_id, "taylor", epoch), first)


def test_an_evaluation_computes_the_scores_that_its_plan_ranks_by(worker, parent):
    run_id = parent.run_id
    with worker.store.write() as session:
        epoch = evaluations.trained(session, run_id, None).epoch
        row = session.get(scores.ScoreRow, (run_id, epoch, "random"))
        if row is not None:
            session.delete(row)
    plan = Plan(epoch=epoch, ratio=0.4, criterion="random")
    run(worker, run_id, JobKind.EVALUATE, EvaluatePayload(plan=plan))
    raw = stored(worker, run_id, "random", epoch)
    assert raw is not None
    with worker.store.read() as session:
        wanted = select(history.network(session, run_id), raw, plan)
        measured = evaluations.evaluation(session, run_id, epoch, wanted.digest)
    assert measured is not None
    assert measured.plan["criterion"] == "random"


def test_a_name_that_no_plugin_has_is_refused(worker, parent):
    job = worker.enqueue(parent.run_id, JobKind.SCORE, ScorePayload(epoch=3, criterion="tylor"))
    with pytest.raises(UnknownName) as refusal:
        scores_by(job.handle, job.trained(None), "tylor")
    assert "taylor" in refusal.value.hint
    worker.finish(job)
