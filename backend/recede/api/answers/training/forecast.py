"""How long a training may take and what memory it needs at least, as far as earlier runs show.

Nothing is trained to find out and no constant is assumed: the time is that of a run which has
the same network and images, and the memory is what the contract alone decides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy.orm import Session

from recede.api.rules import cuts
from recede.contract.errors import InvalidInput, NotFound
from recede.contract.network.cost import cost, dense_cost
from recede.contract.network.shape import NetworkShape
from recede.contract.schemas import ForecastOut
from recede.contract.spec.catalog import Catalog, DatasetInfo
from recede.contract.spec.kept_weights import megabytes
from recede.contract.spec.run import RunSpec
from recede.store.experiments import history, runs
from recede.store.queue import jobs
from recede.store.tables.runs import RunRow

LOOKED_AT = 100
"""The newest runs, one of which may have this network."""
FLOAT_BYTES = 4
COPIES = 3
"""Numbers that a training holds for each parameter: its weight, its gradient, its momentum."""
ALIKE = 0.01
"""Share by which numbers of images may differ and still be called the same."""

NO_TIME = (
    "No run of this network on these images has finished an epoch on {kind}, "
    "so there is no estimate of the time."
)
NOTHING = "Nothing is trained: the weights are measured once, then the curve of their cuts."
BESIDE_TIME = "Loading, the map and the curve come on top."
BESIDE_MEMORY = "Activations, which grow with the batch, and PyTorch itself come on top."


@dataclass(frozen=True)
class _Known:
    """What one earlier run measured, and how far it is from what is asked for."""

    run: RunRow
    device: str
    epoch_s: float
    """Of an epoch of the new run: scaled by the number of training images."""
    measured_s: float
    larger: bool
    """It trained the whole network of which this run will train a cut."""
    differs: tuple[str, ...]
    distance: tuple[bool | float, ...]


def of(session: Session, catalog: Catalog, spec: RunSpec) -> ForecastOut:
    """Time and memory of a checked spec, each in words that say where the number comes from."""
    dataset = catalog.dataset(spec.dataset).resolved(spec.dataset_params)
    alike = [run for run in runs.page(session, limit=LOOKED_AT) if _same_network(run, spec)]
    known = list(_known(session, catalog, spec, dataset, alike))
    out = _memory(session, spec, dataset, alike)
    if not spec.trains:
        return out.model_copy(update={"time": NOTHING})
    if not known:
        return out.model_copy(update={"time": NO_TIME.format(kind=_kind(catalog, spec.device))})
    best = min(known, key=lambda one: one.distance)  # of equals the newest
    return out.model_copy(
        update={
            "seconds": best.epoch_s * spec.epochs,
            "epoch_s": best.measured_s,
            "run": best.run.id,
            "device": best.device,
            "time": _time_words(best, spec),
        }
    )


def _known(
    session: Session,
    catalog: Catalog,
    spec: RunSpec,
    dataset: DatasetInfo,
    alike: Sequence[RunRow],
) -> Iterator[_Known]:
    """Runs that have measured epochs of this network or of the one that it is cut from."""
    trained = jobs.train_jobs(session, [run.id for run in alike if run.epochs_done])
    kind = _kind(catalog, spec.device)
    for run in alike:
        job = trained.get(run.id)
        device = "" if job is None or job.device is None else job.device
        other = RunSpec.model_validate(run.spec)
        theirs = _dataset(catalog, other)
        fits = other.dataset == spec.dataset and theirs is not None and _same(theirs, dataset)
        if theirs is None or not fits or device.partition(":")[0] != kind:
            continue
        seconds = _epoch_seconds(session, run.id)
        if seconds is None:
            continue
        ours, before = _n_train(dataset, spec), _n_train(theirs, other)
        larger = spec.fine_tunes and other.init != spec.init
        yield _Known(
            run=run,
            device=device,
            epoch_s=seconds * ours / before,
            measured_s=seconds,
            larger=larger,
            differs=_differences(spec, other, ours, before),
            distance=(larger, *_distance(spec, other), abs(math.log(ours / before))),
        )


def _same_network(run: RunRow, spec: RunSpec) -> bool:
    """Whether a run has this network, or the whole one that this run begins with a cut of."""
    other = run.spec
    ours = spec.architecture, spec.architecture_params
    if ours != (other["architecture"], other["architecture_params"]):
        return False
    init, theirs = spec.model_dump(mode="json")["init"] or {}, other.get("init") or {}
    if init.get("run"):  # another run's network, which may be cut already
        same = (theirs.get("run"), theirs.get("plan")) == (init["run"], init["plan"])
        return same or run.id == init["run"]
    return not theirs.get("run")


def _dataset(catalog: Catalog, spec: RunSpec) -> DatasetInfo | None:
    """The images of an earlier run; None if they are no longer there to be counted."""
    try:
        return catalog.dataset(spec.dataset).resolved(spec.dataset_params)
    except InvalidInput:
        return None


def _same(one: DatasetInfo, other: DatasetInfo) -> bool:
    """Whether their images cost the same to train on."""
    return _input(one) == _input(other) and one.classes == other.classes


def _input(dataset: DatasetInfo) -> tuple[int, int, int]:
    return dataset.channels, dataset.image_size, dataset.image_size


def _n_train(dataset: DatasetInfo, spec: RunSpec) -> int:
    return max(1, dataset.n_train - round(dataset.n_train * spec.val_fraction))


def _kind(catalog: Catalog, device: str) -> str:
    """The kind of device that a run gets: "cpu", "cuda"."""
    if device != "auto":
        return device.partition(":")[0]
    gpu = any(known.name.startswith("cuda") for known in catalog.devices)
    return "cuda" if gpu else "cpu"


def _epoch_seconds(session: Session, run_id: str) -> float | None:
    """Median of a run's epochs; the first, which warms up, only where it is alone."""
    seconds = [row.seconds for row in history.epochs(session, run_id, after=0)]
    return median(seconds[1:] or seconds) if seconds else None


def _distance(spec: RunSpec, other: RunSpec) -> tuple[bool | float, ...]:
    """What changes the time of an epoch, the most telling first."""
    return (
        spec.processes != other.processes,
        spec.compile != other.compile,
        spec.precision != other.precision,
        abs(math.log(spec.batch_size / other.batch_size)),
        spec.method != other.method,
    )


def _differences(spec: RunSpec, other: RunSpec, ours: int, before: int) -> tuple[str, ...]:
    """What was otherwise in the earlier run, in words."""
    found = []
    if spec.processes != other.processes:
        found.append(f"{other.processes} process{'es' if other.processes > 1 else ''}")
    if spec.compile != other.compile:
        found.append("a compiled network" if other.compile else "a network that was not compiled")
    if (spec.distill is None) != (other.distill is None):
        found.append("a teacher" if other.distill else "no teacher")
    if spec.precision != other.precision:
        found.append(f"precision {other.precision}")
    if spec.batch_size != other.batch_size:
        found.append(f"batches of {other.batch_size}")
    if spec.method != other.method:
        found.append(f"method {other.method}")
    if abs(ours / before - 1) > ALIKE:
        found.append(f"{before:,} training images")
    return tuple(found)


def _time_words(best: _Known, spec: RunSpec) -> str:
    whole = ", which trained the whole network," if best.larger else ""
    otherwise = f", with {' and '.join(best.differs)}" if best.differs else ""
    bound = best.larger and not best.differs  # all else equal, a cut network is no slower
    return (
        f"{'At most about' if bound else 'About'} {_duration(best.epoch_s * spec.epochs)} "
        f"of training: run {best.run.id}{whole} took {_digits(best.measured_s)} s per epoch on "
        f"{best.device}{otherwise}. {BESIDE_TIME}"
    )


def _memory(
    session: Session, spec: RunSpec, dataset: DatasetInfo, alike: Sequence[RunRow]
) -> ForecastOut:
    """What is held in any case: the images as bytes, three numbers for each parameter."""
    params = _params(session, spec, dataset, alike)
    images = (dataset.n_train + dataset.n_test) * math.prod(_input(dataset))
    fixed = "image_size" not in spec.dataset_params  # others are read from disk if too many
    weights = FLOAT_BYTES * COPIES * (params or 0)
    held = (images if fixed else 0) + weights
    parts = [("the images", images)] if fixed else []
    if params:
        parts.append((f"weights, gradients and momenta of {params:,} parameters", weights))
    open_ = [] if params else ["What the network takes is known after its first run."]
    if not fixed:
        open_.append(f"Its images take {megabytes(images)}, if they are held in memory.")
    return ForecastOut(
        time="",
        params=params,
        memory_bytes=held or None,
        memory=" ".join([*_least(held, parts), *open_, BESIDE_MEMORY]),
    )


def _least(held: int, parts: Sequence[tuple[str, int]]) -> list[str]:
    """The sum, and what it is for, with the shares where there are several."""
    of_several = [f"{megabytes(n_bytes)} for {what}" for what, n_bytes in parts]
    if len(parts) > 1:
        return [f"At least {megabytes(held)} of memory: {' and '.join(of_several)}."]
    return [f"At least {megabytes(held)} of memory for {what}." for what, _ in parts]


def _params(
    session: Session, spec: RunSpec, dataset: DatasetInfo, alike: Sequence[RunRow]
) -> int | None:
    """Parameters of the network that is trained, exact; None before its first run."""
    init = spec.init
    if init is not None and init.run is not None and init.plan is not None:
        cut = cuts.make(session, runs.get(session, init.run), init.plan)
        fits = _made_for(cut.shape, dataset)
        return cost(cut.shape, cut.selection.kept).params if fits else None
    for run in alike:
        try:
            shape = history.network(session, run.id)
        except NotFound:
            continue
        if _made_for(shape, dataset):
            return dense_cost(shape).params
    return None


def _made_for(shape: NetworkShape, dataset: DatasetInfo) -> bool:
    """Whether the network takes these images as it is, and has a class for each of theirs."""
    return shape.input_shape == _input(dataset) and shape.classes == dataset.classes


def _duration(seconds: float) -> str:
    """An estimate in the unit that fits it, with no more digits than it deserves."""
    for size, unit, below in ((1, "s", 90), (60, "min", 90 * 60), (3600, "h", 48 * 3600)):
        if seconds < below:
            return f"{_digits(seconds / size)} {unit}"
    return f"{_digits(seconds / 86_400)} days"


def _digits(value: float) -> str:
    """Two figures, and all of a larger whole number."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"
