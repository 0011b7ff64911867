"""Requests of the API on runs, jobs, checkpoints and the service; group_calls has the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import httpx
import numpy as np
import numpy.typing as npt

from recede.client.endpoints.call import (
    API,
    Call,
    body,
    given,
    key,
)
from recede.contract.network.shape import NetworkShape
from recede.contract.schemas import (
    CheckpointOut,
    Deleted,
    EpochOut,
    EvaluateAnswer,
    Health,
    JobAnswer,
    JobOut,
    LogOut,
    Page,
    PolarisationsOut,
    PreviewOut,
    RunAndJob,
    RunOut,
    SnapshotsOut,
    SpecCheck,
    WorkerOut,
)
from recede.contract.spec.catalog import Catalog
from recede.contract.spec.run import Plan, RunSpec
from recede.contract.states import JobKind, State


@dataclass(frozen=True)
class Histograms:
    """Counts of shape (epochs, bins) over one fixed range."""

    counts: npt.NDArray[np.uint32]
    epochs: list[int]
    low: float
    high: float


def _plan(plan: Plan) -> dict[str, Any]:
    return plan.model_dump(mode="json")


def _spec(spec: RunSpec | dict[str, Any]) -> dict[str, Any]:
    return spec.model_dump(mode="json") if isinstance(spec, RunSpec) else spec


def health() -> Call[Health]:
    """Whether the service works, its version and the number of live workers."""
    return Call("GET", f"{API}/healthz", body(Health))


def catalog() -> Call[Catalog]:
    """What can be trained and on which devices."""
    return Call("GET", f"{API}/catalog", body(Catalog))


def workers() -> Call[Page[WorkerOut]]:
    """Supervisors that have announced themselves."""
    return Call("GET", f"{API}/workers", body(Page[WorkerOut]))


def create_run(
    spec: RunSpec | dict[str, Any], *, idempotency_key: str | None = None
) -> Call[RunAndJob]:
    """Queue a training."""
    headers = key(idempotency_key)
    return Call("POST", f"{API}/runs", body(RunAndJob), json=_spec(spec), headers=headers)


def check_run(spec: RunSpec | dict[str, Any]) -> Call[SpecCheck]:
    """The spec as it would be queued, with the reasons for what was chosen; queues nothing."""
    return Call("POST", f"{API}/runs/check", body(SpecCheck), json=_spec(spec))


def runs(
    *,
    state: State | str | None = None,
    search: str | None = None,
    group: str | None = None,
    parent: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Call[Page[RunOut]]:
    """Runs, newest first; pass the page's `next` as `cursor` for the following ones."""
    params = given(
        state=state, search=search, group=group, parent=parent, limit=limit, cursor=cursor
    )
    return Call("GET", f"{API}/runs", body(Page[RunOut]), params=params)


def run(run_id: str) -> Call[RunOut]:
    """One run."""
    return Call("GET", f"{API}/runs/{run_id}", body(RunOut))


def update_run(run_id: str, *, name: str | None = None, notes: str | None = None) -> Call[RunOut]:
    """Rename a run or change its notes."""
    patch = given(name=name, notes=notes)
    return Call("PATCH", f"{API}/runs/{run_id}", body(RunOut), json=patch)


def delete_run(run_id: str) -> Call[Deleted]:
    """Delete a run with its files; says how many bytes that freed."""
    return Call("DELETE", f"{API}/runs/{run_id}", body(Deleted))


def cancel_run(run_id: str) -> Call[RunOut]:
    """Cancel all queued and running work of a run."""
    return Call("POST", f"{API}/runs/{run_id}/cancel", body(RunOut))


def resume_run(run_id: str) -> Call[JobAnswer]:
    """Go on with a failed or cancelled run from its last finished epoch."""
    return Call("POST", f"{API}/runs/{run_id}/resume", body(JobAnswer))


def epochs(run_id: str, *, after: int | None = None) -> Call[Page[EpochOut]]:
    """Metrics of the epochs with a larger number than `after`."""
    path = f"{API}/runs/{run_id}/epochs"
    return Call("GET", path, body(Page[EpochOut]), params=given(after=after))


def network(run_id: str) -> Call[NetworkShape]:
    """The layers of a run's network and what decides their cost."""
    return Call("GET", f"{API}/runs/{run_id}/network", body(NetworkShape))


def snapshots(run_id: str) -> Call[SnapshotsOut]:
    """Which epochs have importances, and which have weights."""
    return Call("GET", f"{API}/runs/{run_id}/snapshots", body(SnapshotsOut))


def snapshot(run_id: str, epoch: int) -> Call[npt.NDArray[np.float32]]:
    """Raw scales of all prunable neurons at one epoch, in network order."""
    return Call("GET", f"{API}/runs/{run_id}/snapshots/{epoch}", _read_snapshot)


def polarisation(run_id: str, *, layers: bool = False) -> Call[PolarisationsOut]:
    """How clearly the importances have parted, epoch by epoch; with `layers` for each layer."""
    path = f"{API}/runs/{run_id}/polarisation"
    return Call("GET", path, body(PolarisationsOut), params={"layers": layers})


def histograms(
    run_id: str,
    *,
    bins: int = 128,
    axis: Literal["sigma", "logit"] = "sigma",
    layer: str | None = None,
) -> Call[Histograms]:
    """Distribution of the importances over all epochs."""
    params = given(bins=bins, axis=axis, layer=layer)
    return Call("GET", f"{API}/runs/{run_id}/histograms", _read_histograms, params=params)


def preview(run_id: str, plan: Plan) -> Call[PreviewOut]:
    """What a plan keeps and costs (exact), with its accuracy where something is known."""
    return Call(
        "POST", f"{API}/runs/{run_id}/preview", body(PreviewOut), json={"plan": _plan(plan)}
    )


def evaluate(run_id: str, plan: Plan) -> Call[EvaluateAnswer]:
    """Measure a plan on the really cut network: the known result, or the job that measures."""
    return Call(
        "POST", f"{API}/runs/{run_id}/evaluate", body(EvaluateAnswer), json={"plan": _plan(plan)}
    )


def prune(run_id: str, plan: Plan, *, formats: list[str] | None = None) -> Call[JobAnswer]:
    """Queue a cut that ends in files to download."""
    wanted = given(plan=_plan(plan), formats=formats)
    return Call("POST", f"{API}/runs/{run_id}/prune", body(JobAnswer), json=wanted)


def checkpoints(run_id: str) -> Call[Page[CheckpointOut]]:
    """Weights of a run that can be downloaded, newest first."""
    return Call("GET", f"{API}/runs/{run_id}/checkpoints", body(Page[CheckpointOut]))


def checkpoint(checkpoint_id: str) -> Call[CheckpointOut]:
    """One set of weights with its manifest."""
    return Call("GET", f"{API}/checkpoints/{checkpoint_id}", body(CheckpointOut))


def jobs(
    *,
    run_id: str | None = None,
    state: State | str | None = None,
    kind: JobKind | str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Call[Page[JobOut]]:
    """Jobs, newest first."""
    params = given(run_id=run_id, state=state, kind=kind, limit=limit, cursor=cursor)
    return Call("GET", f"{API}/jobs", body(Page[JobOut]), params=params)


def job(job_id: int) -> Call[JobOut]:
    """One job."""
    return Call("GET", f"{API}/jobs/{job_id}", body(JobOut))


def cancel_job(job_id: int) -> Call[JobOut]:
    """Cancel a queued job, or ask a running one to stop."""
    return Call("POST", f"{API}/jobs/{job_id}/cancel", body(JobOut))


def log(job_id: int, *, after: int = 0) -> Call[LogOut]:
    """Lines of a job's log from a byte offset on."""
    path = f"{API}/jobs/{job_id}/log"
    return Call("GET", path, body(LogOut), params={"after": after})


def metrics() -> Call[str]:
    """Prometheus' text."""
    return Call("GET", f"{API}/metrics", lambda response: response.text)


def _read_snapshot(response: httpx.Response) -> npt.NDArray[np.float32]:
    return np.frombuffer(response.content, dtype="<f4").astype(np.float32)


def _read_histograms(response: httpx.Response) -> Histograms:
    shape = [int(part) for part in response.headers["X-Shape"].split(",")]
    low, high = (float(part) for part in response.headers["X-Range"].split(","))
    epochs_ = [int(part) for part in response.headers["X-Epochs"].split(",") if part]
    counts = np.frombuffer(response.content, dtype="<u4").reshape(shape).astype(np.uint32)
    return Histograms(counts, epochs_, low, high)
