"""What the manifest of a cut network says, and what its ONNX file says of it."""

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
from recede_worker.engine.evaluation.evaluate import Evaluation
from recede_worker.engine.evaluation.trained_epoch import Subject
from recede_worker.engine.training.recorder import describe_run

CONSTANT_IMAGES = 32


def describe_cut(
    subject: Subject,
    selection: Selection,
    payload: PrunePayload,
    proof: Proof,
    measured: Mapping[str, Evaluation],
    latency: list[dict[str, Any]],
) -> dict[str, Any]:
    """Everything that is known of one cut: where it is from, what it keeps, what was measured."""
    with subject.context.store.read() as session:
        run = runs.get(session, subject.context.lease.run_id)
    kept = kept_in(subject, selection)
    parts = subject.network.shape.split(selection.mask)
    described = describe_run(run.id, subject.spec, subject.network, subject.data)
    accuracy: dict[str, Any] = {
        split: {"correct": result.correct, "n": result.n, "of": "the file, read back"}
        for split, result in measured.items()
    }
    accuracy["dense_validation"] = subject.checkpoint.manifest["accuracy"]["validation"]
    if "dense_test" in accuracy:
        accuracy["dense_test"].pop("of")
    else:
        accuracy["dense_test"] = {"correct": run.test_correct, "n": run.n_test}
    return {
        **described,
        "kind": CheckpointKind.PRUNED.value,
        "epoch": subject.checkpoint.epoch,
        "config": config_of(subject, selection),
        "widths": kept,
        "plan": payload.plan.model_dump(mode="json"),
        "ratio": selection.ratio,
        "removed": selection.removed,
        "digest": selection.digest,
        "kept_channels": {
            name: keep.nonzero()[0].tolist() for name, keep in zip(kept, parts, strict=True)
        },
        "accuracy": accuracy,
        "cost": vars(subject.cost(selection)),
        "dense_cost": vars(dense_cost(subject.network.shape)),
        "latency": latency,
        **_constants(subject, selection),
        "max_difference": vars(proof),
        "versions": {**described["versions"], **_versions()},
        **({"onnx": {"opset": OPSET}} if "onnx" in payload.formats else {}),
    }


def _constants(subject: Subject, selection: Selection) -> dict[str, Any]:
    """Of ordinary batch norms: what the numbers that removed channels still send amount to."""
    if subject.network.shape.scale == "bounded":
        return {}
    x_NCHW = subject.data.normalise.apply(subject.data.validation.head(CONSTANT_IMAGES))
    measured = bias_difference(subject.surgeon, selection.mask, x_NCHW)
    return {"constants": {**vars(measured), "images": len(x_NCHW), "chosen": selection.variant}}


def metadata_of(subject: Subject, selection: Selection) -> dict[str, str]:
    """What an ONNX file says of itself: classes and how images are normalised, as JSON."""
    normalise = subject.data.normalise
    return {
        "producer": f"recede {version('recede')}",
        "run": subject.context.lease.run_id,
        "architecture": subject.spec.architecture,
        "ratio": f"{selection.ratio:.6g}",
        "classes": json.dumps(list(subject.data.classes), ensure_ascii=False),
        "input_shape": json.dumps(list(subject.data.input_shape)),
        "mean": json.dumps(list(normalise.mean)),
        "std": json.dumps(list(normalise.std)),
        "scaling": "pixel / 255, then (x - mean) / std for each channel",
    }


def config_of(subject: Subject, selection: Selection) -> dict[str, Any]:
    """The configuration of the cut network."""
    network = subject.network
    return network.architecture.cut_config(network.config, kept_in(subject, selection))


def kept_in(subject: Subject, selection: Selection) -> dict[str, int]:
    """How many channels each layer keeps."""
    names = [group.name for group in subject.network.shape.groups]
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
