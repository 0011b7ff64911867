"""The network of a recording, made again of somebody's model and the weights that were kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import nn

from recede.contract.cut.selection import Selection, select
from recede.contract.errors import InvalidInput
from recede.contract.network.shape import NetworkShape
from recede.contract.spec.run import Plan
from recede.sdk.network.masked import Evaluate, MaskedNetworks
from recede.sdk.network.traced import copied, traced, unwrapped
from recede.sdk.recording.reading import Recording, UnusableRecording
from recede_worker.core.cutting.discover import Prunable
from recede_worker.core.cutting.surgery import Surgeon
from recede_worker.core.norms.scaling import Norms
from recede_worker.core.state_dict import load_weights

SHOWN = 3
"""Names that a message lists."""
_AS_TRAINED = (
    "Build it as the training did; if it put gates on it, call recede.gate(model, images) first."
)


class RecordedNetwork:
    """Masked networks of the epochs whose weights were kept; the model is only read."""

    def __init__(self, recording: Recording, model: nn.Module, evaluate: Evaluate) -> None:
        """Find the layers of the recording in the model.

        Raises:
            InvalidInput: the recording has no network, metric or weights, `evaluate` is no
                function, or the model is another network; layers that differ are named.
            UnusableRecording: kept weights cannot be read.
        """
        self._recording = recording
        self._model = unwrapped(model)
        self._shape = _servable(recording, evaluate)
        _check_same(recording, self._model)
        norms = _norms(self._model, self._shape)
        self._networks = MaskedNetworks(evaluate, self._model, self._shape, norms)
        self._loaded: tuple[int, Surgeon] | None = None

    def selection(self, plan: Plan) -> Selection:
        """The channels that a plan keeps of its epoch, which is named.

        Raises:
            InvalidInput: no scales were recorded at that epoch.
            ImpossiblePlan, UnknownName: the plan does not fit the network.
        """
        assert plan.epoch is not None
        raw = self._recording.scales(plan.epoch)
        if raw is None:
            raise InvalidInput(
                f"No importances were recorded at epoch {plan.epoch}.", field="epochs"
            )
        return select(self._shape, raw, plan)

    def tried(self, epoch: int, selection: Selection) -> float | Exception:
        """What `evaluate` says of a cut of that epoch's network, or why it gives no number.

        Raises:
            UnusableRecording: the weights cannot be read.
        """
        surgeon = self._surgeon(epoch)
        try:
            return self._networks.value(surgeon, selection)
        except Exception as error:  # noqa: BLE001 - somebody's own function
            return error

    def _surgeon(self, epoch: int) -> Surgeon:
        if self._loaded is None or self._loaded[0] != epoch:
            path = self._recording.folder / self._recording.weights[epoch]
            model = copied(self._model)
            try:
                load_weights(model, load_file(path))
            except (OSError, SafetensorError, RuntimeError) as error:
                raise _unreadable(path, error) from error
            self._loaded = epoch, self._networks.surgeon(model)
        return self._loaded[1]


def _servable(recording: Recording, evaluate: Evaluate) -> NetworkShape:
    """The recorded network; raises InvalidInput where its cuts cannot be measured."""
    begun, folder = recording.begun, recording.folder
    if not callable(evaluate):
        raise InvalidInput(
            f"evaluate was {evaluate!r}; a function is wanted that gives the metric's value for a "
            "network.",
            field="evaluate",
        )
    if begun.network is None:
        raise InvalidInput(
            f"The recording in {folder} has no network that could be cut: {begun.why_no_network}",
        )
    if begun.metric is None:
        raise InvalidInput(
            f"The recording in {folder} has no metric, so it is not known what evaluate gives.",
            hint="Record with recede.watch(…, metric=…).",
        )
    if not recording.weights:
        raise InvalidInput(
            f"The recording in {folder} keeps no weights, so nothing of it can be measured.",
            hint="Weights are kept at run.log and run.finish(), if the disk has room for them.",
        )
    return begun.network


def _check_same(recording: Recording, model: nn.Module) -> None:
    """Raises InvalidInput unless the model has the tensors that were kept."""
    wanted = _shapes(recording.folder / recording.weights[max(recording.weights)])
    given = {
        name: tuple(value.shape)
        for name, value in model.state_dict().items()
        if isinstance(value, torch.Tensor)
    }
    findings = [
        *_some("lacks", wanted.keys() - given.keys()),
        *_some("has besides", given.keys() - wanted.keys()),
        *_some("has in another shape", _of_other_shape(wanted, given)),
    ]
    if findings:
        raise InvalidInput(
            f"The model is not the network that was recorded in {recording.folder}: it "
            f"{'; it '.join(findings)}.",
            field="model",
            hint=_AS_TRAINED,
        )


def _of_other_shape(
    wanted: Mapping[str, tuple[int, ...]], given: Mapping[str, tuple[int, ...]]
) -> list[str]:
    both = sorted(wanted.keys() & given.keys())
    return [
        f"{name} ({given[name]}, recorded was {wanted[name]})"
        for name in both
        if given[name] != wanted[name]
    ]


def _some(what: str, names: Iterable[str]) -> list[str]:
    found = sorted(names)
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return [f"{what} {', '.join(found[:SHOWN])}{more}"] if found else []


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors of a file; raises UnusableRecording."""
    try:
        with safe_open(path, "pt") as stored:
            return {name: tuple(stored.get_slice(name).get_shape()) for name in stored.keys()}  # noqa: SIM118 - it is no dict
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> UnusableRecording:
    return UnusableRecording(
        f"The weights in {path} cannot be read: {error}", hint="Copy the folder again."
    )


def _norms(model: nn.Module, recorded: NetworkShape) -> Norms:
    """The norms of each recorded group; raises InvalidInput if the model has other groups."""
    joined = any(group.members for group in recorded.groups)
    prunable: Prunable = "all" if joined else "inner"
    with torch.random.fork_rng(devices=[]):
        dense, images = copied(model).float(), torch.zeros(1, *recorded.input_shape)
        shape, norms, _ = traced(dense, images, prunable)
    if (shape.groups, shape.scale) != (recorded.groups, recorded.scale):
        names = ({group.name for group in one.groups} for one in (shape, recorded))
        other = ", ".join(sorted(set.symmetric_difference(*names))[:SHOWN])
        raise InvalidInput(
            "The model can be cut in other places than the network that was recorded"
            f"{f': {other}' if other else ''}.",
            field="model",
            hint=_AS_TRAINED,
        )
    return norms
