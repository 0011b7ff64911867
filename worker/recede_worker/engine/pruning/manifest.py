"""The manifest of a cut network, and the metadata of its ONNX file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from recede.contract.cut.selection import Selection
from recede.contract.network.cost import dense_cost
from recede.contract.spec.run import PrunePayload
from recede.contract.states import CheckpointKind
from recede.store.experiments import runs
from recede_worker.core.cutting.surgery import bias_difference
from recede_worker.engine.checkpoints.onnx_file import OPSET, PACKAGES
from recede_worker.engine.checkpoints.proof import Proof
from recede_worker.engine.evaluation.accuracy import Evaluation
from recede_worker.engine.evaluation.trained_epoch import TrainedEpoch
from recede_worker.engine.job.handle import JobHandle
from recede_worker.engine.training.recorder import describe_run

CONSTANT_IMAGES = 32


def describe_cut(
    job: JobHandle,
    trained: TrainedEpoch,
    selection: Selection,
    payload: PrunePayload,
    proof: Proof,
    measured: Mapping[str, Evaluation],
    latency: list[dict[str, Any]],
) -> dict[str, Any]:
    """Everything known about one cut: its origin, what it keeps, what was measured."""
    with job.read() as session:
        run = runs.get(session, job.run_id)
    kept = kept_in(trained, selection)
    parts = trained.network.shape.split(selection.mask)
    described = describe_run(run.id, trained.spec, trained.network, trained.data)
    accuracy: dict[str, Any] = {
        split: {"correct": result.correct, "n": result.n, "of": "the file, read back"}
        for split, result in measured.items()
    }
    accuracy["dense_validation"] = trained.checkpoint.manifest["accuracy"]["validation"]
    if "dense_test" in accuracy:
        accuracy["dense_test"].pop("of")
    else:
        accuracy["dense_test"] = {"correct": run.test_correct, "n": run.n_test}
    return {
        **described,
        "kind": CheckpointKind.PRUNED.value,
        "epoch": trained.epoch,
        "config": config_of(trained, selection),
        "widths": kept,
        "plan": payload.plan.model_dump(mode="json"),
        "ratio": selection.ratio,
        "removed": selection.removed,
        "digest": selection.digest,
        "kept_channels": {
            name: keep.nonzero()[0].tolist() for name, keep in zip(kept, parts, strict=True)
        },
        "accuracy": accuracy,
        "cost": vars(trained.cost(selection)),
        "dense_cost": vars(dense_cost(trained.network.shape)),
        "latency": latency,
        **_constants(trained, selection),
        "max_difference": vars(proof),
        "versions": {**described["versions"], **_versions()},
        **({"onnx": {"opset": OPSET}} if proof.onnx_vs_memory is not None else {}),
    }


def _constants(trained: TrainedEpoch, selection: Selection) -> dict[str, Any]:
    """Of ordinary batch norms: the effect of the constants that removed channels still output."""
    if trained.network.shape.scale == "bounded":
        return {}
    x_NCHW = trained.data.normalise.apply(trained.data.validation.head(CONSTANT_IMAGES))
    measured = bias_difference(trained.surgeon, selection.mask, x_NCHW)
    return {"constants": {**vars(measured), "images": len(x_NCHW), "chosen": selection.variant}}


def metadata_of(trained: TrainedEpoch, selection: Selection) -> dict[str, str]:
    """Metadata of the ONNX file: classes and how images are normalised, as JSON."""
    normalise = trained.data.normalise
    return {
        "producer": f"recede {version('recede')}",
        "run": trained.run_id,
        "architecture": trained.spec.architecture,
        "ratio": f"{selection.ratio:.6g}",
        "classes": json.dumps(list(trained.data.classes), ensure_ascii=False),
        "input_shape": json.dumps(list(trained.data.input_shape)),
        "mean": json.dumps(list(normalise.mean)),
        "std": json.dumps(list(normalise.std)),
        "scaling": "pixel / 255, then (x - mean) / std for each channel",
    }


def config_of(trained: TrainedEpoch, selection: Selection) -> dict[str, Any]:
    """The configuration of the cut network."""
    network = trained.network
    return network.architecture.cut_config(network.config, kept_in(trained, selection))


def kept_in(trained: TrainedEpoch, selection: Selection) -> dict[str, int]:
    """How many channels each layer keeps."""
    names = [group.name for group in trained.network.shape.groups]
    return dict(zip(names, selection.kept, strict=True))


def _versions() -> dict[str, str]:
    """Versions of what wrote and read the files."""
    found = {}
    for package in ("safetensors", *PACKAGES):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
