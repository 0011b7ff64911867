"""Layers of a run that no plan may cut."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from recede.contract.cut.protected import check_layers
from recede.contract.errors import Conflict, NotFound
from recede.store.experiments import history
from recede.store.results import curves
from recede.store.tables.runs import RunRow


def protect(session: Session, run: RunRow, layers: Sequence[str]) -> None:
    """Make these the protected layers of a run, in network order; none ends the protection.

    Raises:
        UnknownName: its network has no such prunable layer.
        Conflict: the network is not built yet.
    """
    try:
        shape = history.network(session, run.id)
    except NotFound as error:
        raise Conflict(
            f"Run {run.id} has no network yet, so its layers are not known.",
            field="protected",
            hint="It is built when the training starts; protect layers from then on.",
        ) from error
    check_layers(shape, layers, "protected")
    protected = [group.name for group in shape.groups if group.name in layers]
    if protected != (run.protected or []):
        curves.forget(session, run.id)  # the same ratios cut other channels from now on
    run.protected = protected
