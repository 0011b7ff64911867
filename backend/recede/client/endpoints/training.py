"""Requests on runs, groups of runs and trainings that run elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recede.client.endpoints.call import (
    API,
    Call,
    body,
    given,
    nothing,
    spec_json,
)
from recede.client.endpoints.call import (
    key as idempotent,
)
from recede.contract.schemas import (
    CutAnswer,
    CutRequests,
    Deleted,
    GroupAndRuns,
    GroupOut,
    JobAnswer,
    Page,
    RecordedCutsBody,
    RecordedEpochBody,
    RecordingBody,
    RecordingOut,
    RecordingStateBody,
    RunAndJob,
    RunOut,
    SpecCheck,
)
from recede.contract.spec.run import RunSpec
from recede.contract.states import State


def create_run(
    spec: RunSpec | dict[str, Any], *, idempotency_key: str | None = None
) -> Call[RunAndJob]:
    """Queue a training."""
    headers = idempotent(idempotency_key)
    return Call("POST", f"{API}/runs", body(RunAndJob), json=spec_json(spec), headers=headers)


def check_run(spec: RunSpec | dict[str, Any]) -> Call[SpecCheck]:
    """The spec as it would be queued, with the reasons for what was chosen; queues nothing."""
    return Call("POST", f"{API}/runs/check", body(SpecCheck), json=spec_json(spec))


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


def protect_layers(run_id: str, layers: list[str]) -> Call[RunOut]:
    """Make these the layers that no plan of the run may cut; an empty list ends it."""
    return Call("PATCH", f"{API}/runs/{run_id}", body(RunOut), json={"protected": layers})


def create_group(
    spec: RunSpec | dict[str, Any],
    axes: Mapping[str, Sequence[Any]],
    *,
    name: str = "",
    idempotency_key: str | None = None,
) -> Call[GroupAndRuns]:
    """Queue one training for every combination of the axes, all or none.

    `axes` maps dotted fields of the spec to values: {"lr": [0.05, 0.1]}.
    """
    base = spec_json(spec)
    wanted = {"spec": base, "axes": {axis: list(axes[axis]) for axis in axes}, "name": name}
    headers = idempotent(idempotency_key)
    return Call("POST", f"{API}/groups", body(GroupAndRuns), json=wanted, headers=headers)


def groups(*, limit: int | None = None, cursor: str | None = None) -> Call[Page[GroupOut]]:
    """Groups, newest first."""
    params = given(limit=limit, cursor=cursor)
    return Call("GET", f"{API}/groups", body(Page[GroupOut]), params=params)


def group(group_id: str) -> Call[GroupOut]:
    """One group with its runs and what its seeds say in common."""
    return Call("GET", f"{API}/groups/{group_id}", body(GroupOut))


def cancel_group(group_id: str) -> Call[GroupOut]:
    """Cancel all queued and running work of all its runs."""
    return Call("POST", f"{API}/groups/{group_id}/cancel", body(GroupOut))


def delete_group(group_id: str) -> Call[Deleted]:
    """Delete a group with all its runs and their files; says how many bytes that freed."""
    return Call("DELETE", f"{API}/groups/{group_id}", body(Deleted))


def begin_recording(key: str, begun: RecordingBody) -> Call[RecordingOut]:
    """Show a training that runs elsewhere as a run, or find the run that does already."""
    sent = begun.model_dump(mode="json", exclude_none=True)
    return Call("PUT", _recording(key), body(RecordingOut), json=sent)


def recording(key: str) -> Call[RecordingOut]:
    """The run that shows a recording, and what of it has arrived."""
    return Call("GET", _recording(key), body(RecordingOut))


def put_recorded_epoch(key: str, epoch: int, recorded: RecordedEpochBody) -> Call[None]:
    """Send one epoch; one that has arrived stays as it is."""
    sent: dict[str, Any] = recorded.model_dump(mode="json", exclude_none=True)
    return Call("PUT", f"{_recording(key)}/epochs/{epoch}", nothing, json=sent)


def put_recorded_cuts(key: str, epoch: int, measured: RecordedCutsBody) -> Call[None]:
    """Send cuts of one epoch that were measured where it trains."""
    sent = measured.model_dump(mode="json")
    return Call("PUT", f"{_recording(key)}/cuts/{epoch}", nothing, json=sent)


def set_recording_state(key: str, state: RecordingStateBody) -> Call[None]:
    """Say how the training stands; "running" says that it lives."""
    return Call("PUT", f"{_recording(key)}/state", nothing, json=state.model_dump(mode="json"))


def serve_recording(key: str, epochs: Sequence[int]) -> Call[CutRequests]:
    """Say that cuts of these epochs are measured on request; what is asked for now."""
    wanted = {"epochs": list(epochs)}
    return Call("PUT", f"{_recording(key)}/serving", body(CutRequests), json=wanted)


def stop_serving(key: str) -> Call[None]:
    """Say that no cuts are measured any more."""
    return Call("DELETE", f"{_recording(key)}/serving", nothing)


def answer_request(key: str, job_id: int, answer: CutAnswer) -> Call[None]:
    """Answer a request with what was measured, or with why it could not be."""
    sent = answer.model_dump(mode="json", exclude_none=True)
    return Call("PUT", f"{_recording(key)}/requests/{job_id}", nothing, json=sent)


def _recording(key: str) -> str:
    return f"{API}/recordings/{key}"
