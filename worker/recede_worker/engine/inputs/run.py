"""RunInputs: the spec of the run that a job works for, its folder and its device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from recede.contract.spec.run import RunSpec
from recede.store.experiments import runs
from recede_worker.engine.job.handle import JobHandle
from recede_worker.engine.job.settings import WorkerSettings
from recede_worker.networks.tracing import TracingOptions


@dataclass(frozen=True)
class RunInputs:
    """What all jobs of one run are given."""

    spec: RunSpec
    settings: WorkerSettings
    folder: Path
    """Of the run's files."""
    device: torch.device

    @property
    def artifacts(self) -> Path:
        """The folder that paths in the store are relative to."""
        return self.settings.artifacts


def run_inputs(job: JobHandle, settings: WorkerSettings) -> RunInputs:
    """The inputs of a job's run, on the first of the job's devices.

    Raises:
        NotFound: the run was deleted.
    """
    with job.read() as session:
        spec = RunSpec.model_validate(runs.get(session, job.run_id).spec)
    device = torch.device(job.lease.devices[0])
    return RunInputs(spec, settings, settings.run_folder(job.run_id), device)


def tracing_options(job: JobHandle, settings: WorkerSettings) -> TracingOptions:
    """How this job traces networks: it stops with the job, and findings are kept for others."""
    return TracingOptions(
        folder=findings_folder(settings),
        limits=settings.trace_limits,
        check=job.check,
        log=job.log,
    )


def findings_folder(settings: WorkerSettings) -> Path:
    """Where the findings of tracing are kept."""
    return settings.artifacts / "networks"
