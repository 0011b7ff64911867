"""The runs in the pictures of the documents: the demo, a cut of it, three that are compared."""

from __future__ import annotations

import time
from dataclasses import dataclass

from recede.client import RecedeClient
from recede.contract.schemas import RunOut
from recede.contract.spec.recipes import recipe
from recede.contract.spec.run import Plan, RunSpec
from recede.contract.states import State

POLL_S = 0.5
TUNED_RATIO = 0.5
SMALL = {
    "dataset": "digits",
    "dataset_params": {},
    "architecture_params": {"width": 0.1},
    "epochs": 20,
    "batch_size": 16,
}
"""As many steps as the demo takes, in a fraction of its time."""


@dataclass(frozen=True)
class Shown:
    """Finished runs by what they show."""

    demo: RunOut
    tuned: RunOut
    """Cut out of the demo and trained on."""
    compared: tuple[RunOut, ...]
    """Two seeds of one small configuration, and the same without a penalty."""


def shown_runs(client: RecedeClient) -> Shown:
    """The runs, made now unless this service has them already."""
    demo_spec = client.catalog().demo
    demo = _finished(client, demo_spec.model_copy(update={"name": "Demo"}))
    _measured(client, demo)
    plain = {"name": "Without a penalty", "method": "ucs", "method_params": {}}
    changes = ({"name": "Receding, seed 0"}, {"name": "Receding, seed 1", "seed": 1}, plain)
    small = {**demo_spec.model_dump(mode="json"), **SMALL}
    compared = [
        _finished(client, RunSpec.model_validate({**small, **change})) for change in changes
    ]
    return Shown(demo, _finished(client, _tuning(demo)), tuple(compared))


def _tuning(parent: RunOut) -> RunSpec:
    """The short recipe on half of the demo's neurons, as the page fine-tunes a cut."""
    strengths = {name: 0 if name == "lam" else v for name, v in parent.spec.method_params.items()}
    changed = {
        **parent.spec.model_dump(mode="json"),
        **recipe("short").fields(parent.spec),
        "name": "Demo, half of it, fine-tuned",
        "method_params": strengths,
        "init": {"run": parent.id, "plan": {"ratio": TUNED_RATIO}},
    }
    return RunSpec.model_validate(changed)


def _finished(client: RecedeClient, spec: RunSpec) -> RunOut:
    """The run of this name, at its end with all that is measured after it.

    Raises:
        RuntimeError: it failed.
    """
    known = [run for run in client.runs(limit=200).items if run.name == spec.name]
    run = known[0] if known else client.create_run(spec).run
    run = settled(client, run.id)
    if run.state is not State.SUCCEEDED:
        raise RuntimeError(f"{spec.name} is {run.state}: {run.error}")
    return run


def settled(client: RecedeClient, run_id: str) -> RunOut:
    """The run, once nothing of it is queued or running."""
    while any(not job.state.is_final for job in client.jobs(run_id=run_id).items):
        time.sleep(POLL_S)
    return client.run(run_id)


def _measured(client: RecedeClient, run: RunOut) -> None:
    """What the Pareto front needs beyond the curve: latencies; and a pruned file."""
    for ratio in (0.3, TUNED_RATIO, 0.7):
        client.measure_latency(run.id, Plan(ratio=ratio))
    if not any(point.kind == "pruned" for point in client.checkpoints(run.id).items):
        client.prune(run.id, Plan(ratio=TUNED_RATIO))
    settled(client, run.id)
