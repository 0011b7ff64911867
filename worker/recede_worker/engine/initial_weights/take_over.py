"""Weights to start from: a file, or another run's network, whole or cut (fine-tuning).

They are taken over once, before the first epoch, and kept in the run's own folder with where
they came from. From then on the run needs neither file nor parent: what resumes, measures or
cuts it rebuilds the network from there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from recede.contract.errors import StorageProblem
from recede.contract.network import weight_files
from recede.contract.spec.run import Init, RunSpec
from recede.contract.spec.scaling import scaling_of
from recede_worker.core.graph.head import scoring_layer
from recede_worker.core.norms.adopt import adopt
from recede_worker.core.norms.bounded import BoundedBatchNorm2d
from recede_worker.core.norms.gated import GatedBatchNorm2d
from recede_worker.core.norms.scaling import names_of
from recede_worker.core.state_dict import load_weights
from recede_worker.engine.checkpoints.atomic_files import (
    described,
    new_folder,
    write_atomically,
)
from recede_worker.engine.initial_weights.from_run import Inherited, inherit
from recede_worker.engine.initial_weights.losses import restore_statistics, warn, warn_of_losses
from recede_worker.engine.initial_weights.named_outputs import outputs_for, with_outputs
from recede_worker.engine.initial_weights.published_weights import (
    file_weights,
    published_weights,
)
from recede_worker.engine.initial_weights.teacher import Dense, keep_teacher, load_teacher
from recede_worker.engine.inputs.load import (
    Data,
    Network,
    build_network,
    method_of,
    network_for,
    scope_sentence,
)
from recede_worker.engine.inputs.run import RunInputs, tracing_options
from recede_worker.engine.job.handle import JobHandle
from recede_worker.networks.tracing import tracing_with

FOLDER = "start"
WEIGHTS = "weights.safetensors"
RECORD = "start.json"


@dataclass(frozen=True)
class _Source:
    """A plain state_dict, and what is recorded about it."""

    weights: Mapping[str, Tensor]
    record: dict[str, Any]
    outputs: tuple[str, ...] | None = None
    """Names of the outputs in their order, if they are known."""
    widths: dict[str, int] | None = None
    """Channels of each prunable layer, if they are not those of the spec's network."""
    logits: Mapping[str, Tensor] | None = None
    """Logits of the neurons of each prunable layer, if they are known exactly."""
    dense: Dense | None = None
    """The network that the weights were cut from, if it was another run's."""


def start_folder(run: RunInputs) -> Path:
    """Where a run keeps what it took over."""
    return run.folder / FOLDER


def first_network(job: JobHandle, run: RunInputs, data: Data) -> Network:
    """The network that training begins with: drawn from the seed, or taken over.

    Raises:
        WrongWeights: the weights are of another network.
        UnusableWeights: the file cannot be read as weights.
        NotFound, WeightsGone, StorageProblem: the other run or its weights are gone.
        ImpossiblePlan, UnknownName: the cut does not fit the other run's network.
    """
    with tracing_with(tracing_options(job, run.settings)):
        network = _first_network(job, run, data)
        job.log(scope_sentence(run.spec, network))
    return network


def _first_network(job: JobHandle, run: RunInputs, data: Data) -> Network:
    if run.spec.init is None:
        return build_network(run.spec, data, run.settings.networks)
    if _kept(run.folder) is None:
        _take_over(job, run, run.spec.init, data)
    network = network_of(job, run, data)
    load_weights(network.model, _kept_weights(start_folder(run) / WEIGHTS, network))
    return network


def teacher_of(job: JobHandle, run: RunInputs) -> nn.Module | None:
    """The network before the cut, if the run learns from it; call `first_network` before.

    Raises:
        StorageProblem: it is gone or was altered.
    """
    if run.spec.distill is None:
        return None
    with tracing_with(tracing_options(job, run.settings)):
        return load_teacher(start_folder(run), run.settings.networks)


def network_of(job: JobHandle, run: RunInputs, data: Data) -> Network:
    """The network of a run that has begun, with its widths, whatever its weights.

    Raises:
        StorageProblem: what was recorded when it began is gone or damaged.
    """
    with tracing_with(tracing_options(job, run.settings)):
        if run.spec.init is None:
            return build_network(run.spec, data, run.settings.networks)
        record = _kept(run.folder)
        if record is None:
            raise _damaged()
        network = _network(run, data, record["widths"])
    network.start.update({name: value for name, value in record.items() if name != "widths"})
    return network


def _network(run: RunInputs, data: Data, widths: dict[str, int] | None) -> Network:
    classes, networks = len(data.classes), run.settings.networks
    return network_for(run.spec, data.input_shape, classes, widths, own_networks=networks)


def record_epoch_0(run: RunInputs, network: Network, correct: int, n: int) -> None:
    """Record the validation accuracy of the weights taken over, before any training."""
    if not network.start:
        return
    network.start["before_training"] = {"correct": correct, "n": n}
    path = start_folder(run) / RECORD
    record = {**json.loads(path.read_text()), **network.start}
    write_atomically(path, lambda target: _write(target, record))


def _take_over(job: JobHandle, run: RunInputs, init: Init, data: Data) -> None:
    """Adopt the weights and keep them; afterwards the source is not needed any more."""
    job.progress("loading", 0, 1, "steps", message="weights to start from")
    parent = _from_run(job, run, init, data) if init.run else None
    network = _network(run, data, parent.widths if parent else None)
    source = parent or _from_elsewhere(job, run, init, network, len(data.classes))
    head = scoring_layer(network.model, data.input_shape)
    outputs = outputs_for(init, run.settings.roots, data.classes, source.outputs)
    weights = source.weights if outputs is None else with_outputs(source.weights, head, outputs)
    adopted = adopt(network.model, weights, head=head, new_head=init.new_head)
    if source.logits is not None:
        _set_scales(network, source.logits)
    record = {
        **source.record,
        **({"new_head": True} if init.new_head else {}),
        **({"outputs": vars(outputs)} if outputs else {}),
        **vars(adopted),
        "widths": source.widths,
    }
    job.log(_sentence(source.record))
    if outputs is not None:
        job.log(outputs.sentence)
    if adopted.auxiliary:
        names = ", ".join(adopted.auxiliary)
        job.log(f"left out: auxiliary heads, which work only in training: {names}")
    if adopted.clamped or adopted.dropped_biases:
        restore_statistics(job, network, data, run.spec.seed)
        warn_of_losses(job, adopted)
    with new_folder(start_folder(run)) as folder:
        tensors = {name: t.contiguous() for name, t in network.model.state_dict().items()}
        save_file(tensors, folder / WEIGHTS)
        if run.spec.distill is not None and source.dense is not None:
            keep_teacher(folder, source.dense)
        _write(folder / RECORD, {**record, "kept_sha256": _sha256(folder / WEIGHTS)})


def _from_elsewhere(
    job: JobHandle, run: RunInputs, init: Init, network: Network, classes: int
) -> _Source:
    if init.file is None:
        assert init.pretrained is not None
        return _Source(*published_weights(job, run.settings.roots, network, init.pretrained))
    path = weight_files.find(run.settings.roots, init.file)
    tag = network.architecture.info.tag_of(run.spec)
    return _Source(*file_weights(job, path, network, tag, classes))


def _from_run(job: JobHandle, run: RunInputs, init: Init, data: Data) -> _Source:
    found = inherit(job, run, init)
    if data.seeded and _other_split(run.spec, found.spec):
        _warn_of_other_split(job, found)
    ours, theirs = (scaling_of(method_of(spec).info, spec) for spec in (run.spec, found.spec))
    logits = {name: torch.from_numpy(raw) for name, raw in found.raw.items()}
    exact = (
        logits if ours == theirs == "bounded" or (ours == "gate" and theirs != "plain") else None
    )
    return _Source(found.weights, found.record, None, found.widths, exact, found.dense)


@torch.no_grad()
def _set_scales(network: Network, logits: Mapping[str, Tensor]) -> None:
    """Exact logits in place of those that were computed from rounded importances, or drawn.

    Where several scales are one neuron, their own logits are not known exactly; gates do
    without, for they change nothing wherever they begin.
    """
    for name, norm in network.norms.items():
        if name not in logits:
            continue
        for scale in map(network.model.get_submodule, names_of(norm)):
            assert isinstance(scale, BoundedBatchNorm2d)
            if isinstance(scale, GatedBatchNorm2d):
                channels = scale.num_features // len(logits[name])
                scale.begin_at(logits[name].repeat_interleave(channels))
            elif isinstance(norm, str) and scale.weight.shape == logits[name].shape:
                scale.weight.copy_(logits[name])


def _other_split(spec: RunSpec, parent: RunSpec) -> bool:
    """Whether images that the parent trained on may be among those that measure this run."""
    same_images = (spec.dataset, spec.dataset_params) == (parent.dataset, parent.dataset_params)
    return same_images and (spec.seed, spec.val_fraction) != (parent.seed, parent.val_fraction)


def _warn_of_other_split(job: JobHandle, found: Inherited) -> None:
    message = (
        f"This run holds out other images than run {found.record['run_id']}, whose weights it "
        "starts from: some of its validation images were trained on before, so its validation "
        "accuracy is too high."
    )
    hint = (
        f"Use seed {found.spec.seed} and validation fraction {found.spec.val_fraction:g}, as "
        "that run does."
    )
    warn(job, "other_split", message, hint)


def _sentence(record: Mapping[str, Any]) -> str:
    if record["kind"] != "run":
        return f"starting from the weights in {record['file']} (SHA-256 {record['sha256']})"
    cut = f", cut by {100 * record['ratio']:.1f} %" if "ratio" in record else ""
    return f"starting from epoch {record['epoch']} of run {record['run_id']}{cut}"


def _kept(run_folder: Path) -> dict[str, Any] | None:
    """What was recorded when the weights were taken over, if they were.

    Raises:
        StorageProblem: it cannot be read.
    """
    if not (run_folder / FOLDER).exists():
        return None
    try:
        record: dict[str, Any] = json.loads((run_folder / FOLDER / RECORD).read_text())
    except (OSError, ValueError) as error:
        raise _damaged() from error
    return record


def _kept_weights(path: Path, network: Network) -> dict[str, Tensor]:
    """The weights as they were taken over; raises StorageProblem if they were altered."""
    try:
        intact = _sha256(path) == network.start["kept_sha256"]
    except OSError as error:
        raise _damaged() from error
    if not intact:
        raise _damaged()
    return load_file(path)


def _sha256(path: Path) -> str:
    return described(path, path.parent).sha256


def _damaged() -> StorageProblem:
    return StorageProblem(
        "The copy of the weights that this run started from is gone or altered.",
        hint="Start it again as a new run.",
    )


def _write(path: Path, record: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")
