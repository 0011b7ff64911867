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
from recede_worker.engine.evaluation.scores import scores_of
from recede_worker.engine.evaluation.trained_epoch import load_subject
from recede_worker.engine.supervisor.entry import JOBS
from recede_worker.plugins.registry import criteria
from tests.worker.engine.place import parent, place

__all__ = ["parent", "place"]

OTHERS = list(criteria())[1:]


def run(place, run_id, kind, payload):
    context = place.job(run_id, kind, payload)
    result = JOBS[kind](context).result
    place.done(context)
    return result


def stored(place, run_id, criterion, epoch=3):
    with place.store.read() as session:
        return scores.get(session, run_id, epoch, criterion)


@pytest.mark.parametrize("criterion", OTHERS)
def test_a_score_job_keeps_one_number_a_neuron(place, parent, criterion):
    run_id = parent.lease.run_id
    with place.store.read() as session:
        epoch = evaluations.trained(session, run_id, None).epoch
        shape = history.network(session, run_id)
    result = run(place, run_id, JobKind.SCORE, ScorePayload(epoch=epoch, criterion=criterion))
    raw = stored(place, run_id, criterion, epoch)
    assert raw.shape == (shape.n_neurons,)
    assert result == {"epoch": epoch, "criterion": criterion, "neurons": shape.n_neurons}
    again = run(place, run_id, JobKind.SCORE, ScorePayload(epoch=epoch, criterion=criterion))
    assert again == result
    np.testing.assert_array_equal(stored(place, run_id, criterion, epoch), raw)


def test_scores_computed_anew_are_the_same(place, parent):
    run_id = parent.lease.run_id
    with place.store.read() as session:
        epoch = evaluations.trained(session, run_id, None).epoch
    payload = ScorePayload(epoch=epoch, criterion="taylor")
    run(place, run_id, JobKind.SCORE, payload)
    first = stored(place, run_id, "taylor", epoch)
    with place.store.write() as session:
        session.delete(session.get(scores.ScoreRow, (run_id, epoch, "taylor")))
    run(place, run_id, JobKind.SCORE, payload)
    np.testing.assert_array_equal(stored(place, run_id, "taylor", epoch), first)


def test_an_evaluation_computes_the_scores_that_its_plan_ranks_by(place, parent):
    run_id = parent.lease.run_id
    with place.store.write() as session:
        epoch = evaluations.trained(session, run_id, None).epoch
        row = session.get(scores.ScoreRow, (run_id, epoch, "random"))
        if row is not None:
            session.delete(row)
    plan = Plan(epoch=epoch, ratio=0.4, criterion="random")
    run(place, run_id, JobKind.EVALUATE, EvaluatePayload(plan=plan))
    raw = stored(place, run_id, "random", epoch)
    assert raw is not None
    with place.store.read() as session:
        wanted = select(history.network(session, run_id), raw, plan)
        measured = evaluations.evaluation(session, run_id, epoch, wanted.digest)
    assert measured is not None
    assert measured.plan["criterion"] == "random"


def test_a_name_that_no_plugin_has_is_refused(place, parent):
    context = place.job(
        parent.lease.run_id, JobKind.SCORE, ScorePayload(epoch=3, criterion="tylor")
    )
    with pytest.raises(UnknownName) as refusal:
        scores_of(load_subject(context, None), "tylor")
    assert "taylor" in refusal.value.hint
    place.done(context)
