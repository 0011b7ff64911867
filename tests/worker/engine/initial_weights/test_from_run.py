"""What may happen to the run that another one starts from, before and while it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recede.contract.errors import (
    Conflict,
    NotFound,
    StorageProblem,
    WeightsGone,
)
from recede.contract.spec.run import Init, Plan
from recede.store.experiments import runs
from recede.store.queue import jobs
from recede.store.results import evaluations
from recede_worker.engine.initial_weights.from_run import inherit
from recede_worker.engine.initial_weights.take_over import (
    FOLDER,
    RECORD,
    WEIGHTS,
)
from recede_worker.engine.job.stop import Cancelled
from tests.worker.engine.claimed_job import SMALL, stop_in_epoch
from tests.worker.engine.in_process import (
    cancel,
    fine,
    parent,
    refused,
    started,
    tuned,
    weights_of,
    worker,
)

__all__ = ["fine", "parent", "worker"]


def test_a_parent_is_kept_until_its_heir_has_begun(worker):
    doomed = worker.train(SMALL.model_copy(update={"epochs": 1}))
    run_id = doomed.run_id
    heir = worker.submit(tuned(doomed, plan=Plan(epoch=1, ratio=0.1)))
    with worker.store.write() as session:
        assert jobs.pinned(session, run_id) == {1}
        with pytest.raises(Conflict, match=heir.run_id):
            runs.remove(session, run_id)
    stop_in_epoch(heir, 1)
    with pytest.raises(Cancelled):
        heir.perform()
    with worker.store.write() as session:
        assert jobs.pinned(session, run_id) == set()
        runs.remove(session, run_id)
    cancel(heir)


def test_weights_that_are_replaced_while_they_are_read_are_looked_up_again(worker):
    own = worker.train(SMALL.model_copy(update={"epochs": 1}))
    run_id = own.run_id
    heir = worker.submit(tuned(own))
    old = weights_of(own)
    with worker.store.write() as session:
        row = evaluations.trained(session, run_id, None)
        session.expunge(row)
    newer = old.parent.with_name("newer")
    old.parent.rename(newer)
    looks = []

    class Store:
        """The store in which a better epoch appears between two looks."""

        def __init__(self, real: Any) -> None:
            self.real = real

        def read(self) -> Any:
            looks.append(1)
            if len(looks) == 2:
                replace_row(self.real, row, newer)
            return self.real.read()

    inputs = heir.inputs
    heir.store = Store(worker.store)
    found = inherit(heir.handle, inputs, Init(run=run_id))
    assert found.record["sha256"] == row.sha256
    assert len(looks) == 3
    heir.store = worker.store
    cancel(heir)


def replace_row(store: Any, row: Any, folder: Path) -> None:
    """The same weights as another checkpoint, in another folder."""
    with store.write() as session:
        old = evaluations.checkpoint(session, row.id)
        files = {form: dict(stored) for form, stored in old.files.items()}
        for stored in files.values():
            stored["path"] = stored["path"].replace(row.id, folder.name)
        evaluations.drop_checkpoint(session, old)
        stored = {form: evaluations.StoredFile(**values) for form, values in files.items()}
        evaluations.put_checkpoint(
            session,
            id_=runs.new_id(),
            run_id=row.run_id,
            kind=evaluations.CheckpointKind.TRAINED,
            epoch=row.epoch,
            files=stored,
            manifest=row.manifest,
        )


def test_a_parent_that_is_gone_is_said_before_training(worker):
    job = worker.submit(SMALL.model_copy(update={"init": Init(run="zzzzzzzz")}))
    assert "zzzzzzzz" in refused(job, NotFound).message


def test_an_epoch_without_weights_names_those_that_have_some(worker, parent):
    job = worker.submit(tuned(parent, plan=Plan(epoch=0, ratio=0.1)))
    assert "epoch 0" in refused(job, WeightsGone).message


def test_altered_weights_of_the_parent_are_refused(worker):
    own = worker.train(SMALL.model_copy(update={"epochs": 1}))
    weights_of(own).write_bytes(b"altered")
    assert "altered" in refused(worker.submit(tuned(own)), StorageProblem).message


@pytest.mark.parametrize("name", [RECORD, WEIGHTS])
def test_altered_weights_that_were_kept_are_refused(worker, parent, name: str):
    job = worker.submit(tuned(parent))
    started(job)
    (job.folder / FOLDER / name).write_bytes(b"altered")
    with pytest.raises(StorageProblem, match="gone or altered"):
        started(job)
    cancel(job)
