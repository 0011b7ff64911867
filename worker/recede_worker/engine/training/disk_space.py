"""The guard before a training: is there room for what it keeps?"""

from __future__ import annotations

import shutil

from torch import nn

from recede.contract.spec.kept_weights import require_room, room
from recede.contract.spec.run import RunSpec
from recede.store.experiments import runs
from recede_worker.engine.job.context import JobContext
from recede_worker.engine.training.trainer_state import FILE


def check_room(context: JobContext, spec: RunSpec, model: nn.Module) -> None:
    """Refuse, or warn of, a run for which the disk is too small, before it trains.

    Raises:
        StorageProblem: not even the best and the last epoch fit.
    """
    weights = sum(tensor.nbytes for tensor in model.state_dict().values())
    begun = (context.folder / FILE).exists()
    free = shutil.disk_usage(context.settings.artifacts).free
    warning = require_room(room(spec, weights, free, begun=begun))
    if warning is None:
        return
    context.log(warning)
    hint = f"Give it less than {spec.keep_weights_mb} MB (keep_weights_mb), or free some space."
    with context.write() as session:
        runs.notice(session, context.lease.run_id, "disk", warning, hint=hint)
