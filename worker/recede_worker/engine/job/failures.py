"""How a failure of a job is reported: code, message and hint, whatever was raised."""

from __future__ import annotations

import resource
import sys
from typing import Any

import torch

from recede.contract.errors import RecedeError
from recede.contract.spec.run import RunSpec
from recede_worker.core.device.memory import is_out_of_memory


def failure_of(error: Exception, device: torch.device, spec: RunSpec) -> dict[str, Any]:
    """Code, message and hint, as they are stored and shown."""
    if isinstance(error, RecedeError):
        return error.as_dict()
    if is_out_of_memory(error):
        return _out_of_memory(error, device, spec)
    return {
        "code": "internal",
        "message": f"{type(error).__name__}: {error}",
        "hint": "The log of this job has the details.",
    }


def _out_of_memory(error: Exception, device: torch.device, spec: RunSpec) -> dict[str, str]:
    on = "the GPU" if device.type == "cuda" else "this machine"
    smaller = max(2 * spec.processes, spec.batch_size // 2 // spec.processes * spec.processes)
    first = str(error).strip().split("\n")[0]
    return {
        "code": "out_of_memory",
        "message": f"The memory of {on} ran out at a batch size of {spec.batch_size}; the peak "
        f"was {peak_bytes(device) / 2**30:.1f} GiB. {first}",
        "hint": f"Start the run again with a batch size of {smaller}, smaller images or a "
        "narrower network. Finished epochs are kept.",
    }


def peak_bytes(device: torch.device) -> int:
    """Most memory that this process has held, of the GPU or of the machine."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB
