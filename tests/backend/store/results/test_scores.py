"""Scores by criteria: kept once a run, epoch and name, and gone with their run."""

from __future__ import annotations

import numpy as np
import pytest

from recede.contract.errors import NotFound
from recede.store.experiments import runs
from recede.store.results import scores
from tests.backend.store.samples import (
    SHAPE,
    add_epochs,
    add_run,
    raw_scales,
)

RAW = np.linspace(-1, 1, SHAPE.n_neurons).astype(np.float32)


@pytest.fixture
def run_id(store):
    made, _ = add_run(store)
    add_epochs(store, made, 2)
    return made


def test_scores_come_back_as_they_were_kept_and_the_first_stay(store, run_id):
    for raw in (RAW, -RAW):
        with store.write() as session:
            scores.put(session, run_id, 2, "taylor", raw)
    with store.read() as session:
        np.testing.assert_array_equal(scores.get(session, run_id, 2, "taylor"), RAW)
        assert scores.get(session, run_id, 1, "taylor") is None
        assert scores.known(session, run_id, 2) == ["taylor"]


def test_a_plan_ranks_by_the_snapshot_or_by_the_scores_of_its_criterion(store, run_id):
    with store.write() as session:
        scores.put(session, run_id, 2, "taylor", RAW)
    with store.read() as session:
        by_default = scores.ranking(session, run_id, 2, "importance")
        np.testing.assert_array_equal(by_default, raw_scales(2))
        np.testing.assert_array_equal(scores.ranking(session, run_id, 2, "taylor"), RAW)
        with pytest.raises(NotFound, match="no snapshot"):
            scores.ranking(session, run_id, 9, "importance")
        with pytest.raises(scores.ScoreMissing) as missing:
            scores.ranking(session, run_id, 1, "taylor")
    assert (missing.value.code, missing.value.field) == ("score_missing", "plan.criterion")
    assert f"/runs/{run_id}/scores" in missing.value.hint


def test_scores_go_with_their_run(store, run_id):
    with store.write() as session:
        scores.put(session, run_id, 2, "taylor", RAW)
    with store.write() as session:
        run = runs.get(session, run_id)
        session.delete(run)
    with store.read() as session:
        assert scores.known(session, run_id, 2) == []
