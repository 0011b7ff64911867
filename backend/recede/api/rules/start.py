"""What a run is to start from, checked before it is queued."""

from __future__ import annotations

import socket
from pathlib import Path

from sqlalchemy.orm import Session

from recede.api.rules import cuts
from recede.contract.errors import (
    InvalidInput,
    NotFound,
    RecedeError,
)
from recede.contract.network import class_names, weight_files
from recede.contract.network.shape import NetworkShape
from recede.contract.spec.catalog import Catalog
from recede.contract.spec.run import Init, RunSpec
from recede.contract.spec.scaling import Scaling, scaling_of, settled
from recede.settings import Settings
from recede.store.experiments import history, runs
from recede.store.queue import workers
from recede.store.results import evaluations
from recede.store.tables.runs import RunRow


def checked(settings: Settings, session: Session, spec: RunSpec) -> RunSpec:
    """The spec filled in, fit to be queued; raises what Catalog.check and `check` raise."""
    catalog = workers.catalog(session)
    method = catalog.method(spec.method)
    scaled = settled(method, spec, _scaling_of_parent(session, spec))
    filled = catalog.check(_fed_as_parent(session, scaled))
    check(settings, session, filled)
    return filled


def _fed_as_parent(session: Session, spec: RunSpec) -> RunSpec:
    """The spec with the normalisation of the run that it starts from, unless it has its own."""
    if spec.init is None or spec.init.run is None or spec.normalize != "auto":
        return spec
    theirs = RunSpec.model_validate(_parent(session, spec.init.run).spec).normalize
    return spec.model_copy(update={"normalize": theirs})


def check(settings: Settings, session: Session, spec: RunSpec) -> None:
    """Refuse weights that this run cannot start from, as far as that can be seen without torch.

    `spec` was checked by the catalog. A file is checked if it lies on this machine.

    Raises:
        InvalidInput: no such file or run, another network or other images than that run's, or
            a cut that does not fit; `field` is below `init`.
        Conflict: that run has no weights yet, or none of that epoch.
    """
    init = spec.init
    if init is None:
        return
    if init.run is None:
        if init.file is not None:
            _check_file(settings, session, init.file)
        _check_classes(settings, session, init.classes)
        return
    try:
        _check_run(session, spec, init)
    except RecedeError as error:
        if error.field is not None and error.field.split(".")[0] == "plan":
            error.field = f"init.{error.field}"
        error.field = error.field or "init.run"
        raise


def _check_file(settings: Settings, session: Session, given: str) -> None:
    """Check the file; one that is not here may lie on a worker's machine."""
    path = _found(settings, session, given, "init.file")
    if path is not None:
        weight_files.check(path)


def _check_classes(
    settings: Settings, session: Session, given: str | tuple[str, ...] | None
) -> None:
    """Check that a file of names can be read; the worker compares them with the classes."""
    if isinstance(given, str) and given != class_names.ILSVRC:
        path = _found(settings, session, given, class_names.FIELD)
        if path is not None:
            class_names.read_names(path)


def _found(settings: Settings, session: Session, given: str, field: str) -> Path | None:
    """The file, or None if it may lie on the machine of a worker."""
    try:
        return weight_files.find((settings.datasets, *settings.data_roots), given, field)
    except weight_files.UnusableWeights:
        alive = [row for row, age_s in workers.all_workers(session) if age_s < workers.STALE_S]
        if all(row.host == socket.gethostname() for row in alive):
            raise
        return None  # that worker's data roots are not ours; it looks before it trains


def _check_run(session: Session, spec: RunSpec, init: Init) -> None:
    parent = _parent(session, str(init.run))
    theirs = RunSpec.model_validate(parent.spec)
    ours = (spec.architecture, spec.architecture_params)
    if ours != (theirs.architecture, theirs.architecture_params):
        raise InvalidInput(
            f"Run {parent.id} has the network {_network(theirs)}, this one {_network(spec)}; "
            "both must have the same.",
            field="init.run",
            hint="Take over architecture and parameters of that run.",
        )
    evaluations.trained(session, parent.id, init.plan.epoch if init.plan else None)
    if init.plan is not None:
        cuts.make(session, parent, init.plan)
    _check_images(workers.catalog(session), history.network(session, parent.id), spec, init)


def _scaling_of_parent(session: Session, spec: RunSpec) -> Scaling | None:
    if spec.init is None or spec.init.run is None:
        return None
    theirs = RunSpec.model_validate(_parent(session, spec.init.run).spec)
    if theirs.recorded:
        return None  # it has no weights here, which is said later
    return scaling_of(workers.catalog(session).method(theirs.method), theirs)


def _parent(session: Session, run_id: str) -> RunRow:
    try:
        return runs.get(session, run_id)
    except NotFound as error:
        raise InvalidInput(
            f"There is no run {run_id!r} to start from.",
            field="init.run",
            hint="It may have been deleted; choose another one.",
        ) from error


def _check_images(catalog: Catalog, shape: NetworkShape, spec: RunSpec, init: Init) -> None:
    dataset = catalog.dataset(spec.dataset).resolved(spec.dataset_params)
    if dataset.channels != shape.input_shape[0]:
        raise InvalidInput(
            f"The network of run {init.run} takes images of {shape.input_shape[0]} channels, "
            f"{dataset.name!r} has {dataset.channels}.",
            field="init.run",
            hint="Choose a run or a data set with as many colour channels.",
        )
    if dataset.classes != shape.classes and not init.new_head:
        raise InvalidInput(
            f"The head has {shape.classes} outputs, this data set has {dataset.classes} classes.",
            field="init.new_head",
            hint="Ask for a new head (init.new_head) to reinitialise the last layer and keep all "
            "other weights, or choose the data set that run was trained on.",
        )


def _network(spec: RunSpec) -> str:
    params = ", ".join(f"{name} {value}" for name, value in spec.architecture_params.items())
    return spec.architecture + (f" ({params})" if params else "")
