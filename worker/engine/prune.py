"""The prune job: cut, prove, write, read back, measure the file on the test set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from backend.contract.cost import dense_cost
from backend.contract.selection import Selection
from backend.contract.specs import PrunePayload
from backend.contract.states import CheckpointKind
from backend.store import results, runs
from worker.core.surgery import max_difference
from worker.engine.context import JobContext, Outcome
from worker.engine.evaluate import Evaluation, evaluate
from worker.engine.export import (
    Proof,
    exact_difference,
    largest_output,
    program_difference,
    require_equal,
    rounding,
    write_model,
    write_program,
)
from worker.engine.files import new_folder
from worker.engine.recorder import describe_run
from worker.engine.subject import Subject, load_subject
from worker.engine.weights import NAMES, files_in, folder_of, write_manifest

PROOF_IMAGES = 256


def run_prune(context: JobContext) -> Outcome:
    """Write the network that the plan keeps; a checkpoint appears only if its proof holds."""
    payload = PrunePayload.model_validate(context.lease.payload)
    subject = load_subject(context, payload.plan.epoch)
    selection = subject.select(payload.plan)
    checkpoint_id = runs.new_id()
    folder = folder_of(context.folder, checkpoint_id)
    with new_folder(folder) as temporary:
        reloaded, proof = _write_and_prove(subject, selection, payload, temporary)
        described = _manifest(subject, selection, payload, proof, _measure(subject, reloaded))
        manifest = write_manifest(temporary, described)
    files = files_in(folder, context.settings.artifacts)
    with context.write() as session:
        row = results.put_checkpoint(
            session,
            id_=checkpoint_id,
            run_id=context.lease.run_id,
            kind=CheckpointKind.PRUNED,
            epoch=subject.checkpoint.epoch,
            files=files,
            manifest=manifest,
        )
    test = manifest["accuracy"]["test"]
    return Outcome(
        {
            "checkpoint_id": row.id,
            "sha256": row.sha256,
            "max_difference": proof.cut_vs_masked,
            "test_correct": test["correct"],
            "n_test": test["n"],
        }
    )


def _write_and_prove(
    subject: Subject, selection: Selection, payload: PrunePayload, folder: Path
) -> tuple[nn.Module, Proof]:
    """Files in the folder and the network read back from them."""
    context = subject.context
    context.progress("cutting", 0, 4, "steps")
    cut = subject.surgeon.cut(selection.mask)
    masked = subject.surgeon.masked(selection.mask)
    sample = subject.data.validation.head(PROOF_IMAGES)
    x_NCHW = subject.data.normalise.apply(sample)
    macs = dense_cost(subject.network.shape).macs
    exact = exact_difference(cut, masked, x_NCHW, macs)
    cut_vs_masked = max_difference(cut, masked, x_NCHW)
    limit = rounding(masked, x_NCHW)
    require_equal("Cut and masked network", cut_vs_masked, limit)
    context.progress("writing", 1, 4, "steps")
    reloaded = write_model(cut, _source(subject, selection), folder)
    file_vs_memory = max_difference(reloaded, cut, x_NCHW)
    require_equal("File and network in memory", file_vs_memory, limit)
    pt2_vs_memory = None
    if "pt2" in payload.formats:
        context.progress("writing", 2, 4, "steps", message="torch.export program")
        write_program(cut, x_NCHW[:2], folder / NAMES["pt2"])
        pt2_vs_memory = program_difference(folder / NAMES["pt2"], cut, x_NCHW)
        require_equal("torch.export program and network in memory", pt2_vs_memory, limit)
    largest = largest_output(masked, x_NCHW)
    proof = Proof(len(x_NCHW), cut_vs_masked, *exact, file_vs_memory, pt2_vs_memory, largest)
    context.log(f"proof on {proof.images} validation images: {vars(proof)}")
    return reloaded, proof


def _measure(subject: Subject, reloaded: nn.Module) -> dict[str, Evaluation]:
    """Accuracy of the network that was read back from its file."""
    context = subject.context
    context.progress("verifying", 3, 4, "steps", message="test set")
    model = reloaded.to(context.device)
    test_split = subject.data.test.to(context.device)
    return {
        "validation": evaluate(model, subject.validation, subject.data.normalise, context.check),
        "test": evaluate(model, test_split, subject.data.normalise, context.check),
    }


def _source(subject: Subject, selection: Selection) -> str:
    architecture = subject.network.architecture
    return architecture.source(_cut_config(subject, selection))


def _cut_config(subject: Subject, selection: Selection) -> dict[str, Any]:
    network = subject.network
    return network.architecture.cut_config(network.config, _kept(subject, selection))


def _kept(subject: Subject, selection: Selection) -> dict[str, int]:
    names = [group.name for group in subject.network.shape.groups]
    return dict(zip(names, selection.kept, strict=True))


def _manifest(
    subject: Subject,
    selection: Selection,
    payload: PrunePayload,
    proof: Proof,
    measured: dict[str, Evaluation],
) -> dict[str, Any]:
    with subject.context.store.read() as session:
        run = runs.get(session, subject.context.lease.run_id)
    accuracy = {
        split: {"correct": result.correct, "n": result.n, "of": "the file, read back"}
        for split, result in measured.items()
    }
    accuracy["dense_validation"] = subject.checkpoint.manifest["accuracy"]["validation"]
    if run.test_correct is not None and subject.checkpoint.epoch == run.best_epoch:
        accuracy["dense_test"] = {"correct": run.test_correct, "n": run.n_test}
    kept = _kept(subject, selection)
    return {
        **describe_run(run.id, subject.spec, subject.network, subject.data),
        "kind": CheckpointKind.PRUNED.value,
        "epoch": subject.checkpoint.epoch,
        "config": _cut_config(subject, selection),
        "widths": kept,
        "plan": payload.plan.model_dump(mode="json"),
        "ratio": selection.ratio,
        "removed": selection.removed,
        "digest": selection.digest,
        "kept_channels": {
            name: keep.nonzero()[0].tolist()
            for name, keep in zip(kept, subject.network.shape.split(selection.mask), strict=True)
        },
        "accuracy": accuracy,
        "cost": vars(subject.cost(selection)),
        "dense_cost": vars(dense_cost(subject.network.shape)),
        "max_difference": vars(proof),
    }
