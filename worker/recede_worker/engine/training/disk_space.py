"""The check before a training: is there disk space for the weights that it keeps?"""

from __future__ import annotations

import shutil

from torch import nn

from recede.contract.spec.kept_weights import require_room, room
from recede.store.experiments import runs
from recede_worker.engine.inputs.run import RunInputs
from recede_worker.engine.job.handle import JobHandle
from recede_worker.engine.training.trainer_state import FILE


def check_disk_space(job: JobHandle, run: RunInputs, model: nn.Module) -> None:
    """Refuse, or warn of, a run for which the disk is too small, before it trains.

    Raises:
        StorageProblem: not even the best and the last epoch fit.
    """
    weights = sum(tensor.nbytes for tensor in model.state_dict().values())
    begun = (run.folder / FILE).exists()
    free = shutil.disk_usage(run.artifacts).free
    warning = require_room(room(run.spec, weights, free, begun=begun))
    if warning is None:
        return
    job.log(warning)
    hint = (
        f"Give it less than {run.spec.keep_weights_mb} MB (keep_weights_mb), or free some space."
    )
    with job.write() as session:
        runs.notice(session, job.run_id, "disk", warning, hint=hint)
