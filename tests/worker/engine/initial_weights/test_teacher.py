"""The teacher of a fine-tuning: the network before the cut, kept with the run, checked."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from recede.contract.errors import StorageProblem
from recede.contract.spec.run import Distill, EvaluatePayload, Init, RunSpec
from recede.contract.states import JobKind
from recede.store.experiments import runs
from recede_worker.engine.initial_weights.take_over import start_folder, teacher_of
from recede_worker.engine.training.trainer_state import load_state
from tests.worker.engine.claimed_job import SMALL
from tests.worker.engine.in_process import PLAN, InProcessWorker, parent, tuned, worker

__all__ = ["parent", "worker"]


def test_the_teacher_is_the_network_before_the_cut(worker, parent):
    probe = worker.enqueue(parent.run_id, JobKind.EVALUATE, EvaluatePayload(plan=PLAN))
    whole = probe.trained(None)
    worker.finish(probe)
    job = worker.train(tuned(parent, distill=Distill(), epochs=1))
    teacher = teacher_of(job.handle, job.inputs)
    assert teacher is not None
    assert not teacher.training
    x = torch.randn(4, *whole.network.shape.input_shape)
    with torch.no_grad():
        assert torch.equal(teacher(x), whole.dense(x))


def test_a_taught_training_differs_from_a_plain_one_and_outlives_its_teachers_run(tmp_path):
    at = InProcessWorker(tmp_path)
    dense = at.train(SMALL)
    states = []
    for distill in (None, Distill(weight=0.5)):
        job, said = at.submit(tuned(dense, distill=distill, epochs=1)), []
        job.log = said.append
        job.perform()
        at.finish(job)
        states.append(load_state(job.folder))
        taught = "learning from the network before the cut: weight 0.5, temperature 4"
        assert (taught in said) == bool(distill)
    plain, taught = (state.model for state in states)
    assert any(not torch.equal(plain[name], taught[name]) for name in plain)
    with at.store.write() as session:
        runs.remove(session, dense.run_id)
    assert teacher_of(job.handle, job.inputs) is not None
    at.store.close()


def test_a_teacher_that_was_altered_is_refused(worker, parent):
    job = worker.train(tuned(parent, distill=Distill(), epochs=1))
    kept = start_folder(job.inputs) / "teacher.safetensors"
    kept.write_bytes(kept.read_bytes()[:-1] + b"\x00\x01")
    with pytest.raises(StorageProblem, match="dense network that this run learns from"):
        teacher_of(job.handle, job.inputs)


@pytest.mark.parametrize(
    ("init", "said"),
    [
        (None, "needs a network that was cut"),
        (Init(run="abcd2345"), "needs a network that was cut"),
        (Init(run="abcd2345", plan=PLAN, new_head=True), "init.new_head draws the last layer"),
    ],
)
def test_a_training_without_a_cut_has_no_teacher(init, said):
    body = SMALL.model_dump() | {"init": init, "distill": {}}
    with pytest.raises(ValidationError, match=said) as caught:
        RunSpec.model_validate(body)
    assert caught.value.errors()[0]["loc"] == ("distill",)
