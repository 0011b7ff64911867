"""Requests of the API on groups of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recede.client.endpoints.call import (
    API,
    Call,
    body,
    given,
    key,
)
from recede.contract.schemas import (
    Deleted,
    GroupAndRuns,
    GroupOut,
    Page,
)
from recede.contract.spec.run import RunSpec


def create_group(
    spec: RunSpec | dict[str, Any],
    axes: Mapping[str, Sequence[Any]],
    *,
    name: str = "",
    idempotency_key: str | None = None,
) -> Call[GroupAndRuns]:
    """Queue one training for every combination of the axes, all or none.

    `axes` maps dotted fields of the spec to values: {"method_params.lam": [0.01, 0.03]}.
    """
    base = spec.model_dump(mode="json") if isinstance(spec, RunSpec) else spec
    wanted = {"spec": base, "axes": {axis: list(axes[axis]) for axis in axes}, "name": name}
    headers = key(idempotency_key)
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
