"""The prune job: cut, prove, write, read back, measure the file on the test set, pack."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

from torch import Tensor, nn

from recede.contract.cut.selection import Selection
from recede.contract.network.cost import dense_cost
from recede.contract.spec.run import PrunePayload
from recede.contract.states import CheckpointKind
from recede.store.experiments import runs
from recede.store.results import evaluations
from recede_worker.engine.checkpoints.atomic_files import new_folder
from recede_worker.engine.checkpoints.bundle import write_bundle
from recede_worker.engine.checkpoints.export import (
    Written,
    program_of,
    prove_onnx,
    prove_program,
    save_program,
    write_model,
)
from recede_worker.engine.checkpoints.proof import (
    Proof,
    exact_difference,
    largest_output,
    require_same,
    rounding,
    scores,
)
from recede_worker.engine.checkpoints.weights import (
    NAMES,
    files_in,
    folder_of,
    write_manifest,
)
from recede_worker.engine.evaluation.evaluate import Evaluation, evaluate
from recede_worker.engine.evaluation.latency_job import measure_pair
from recede_worker.engine.evaluation.trained_epoch import Subject, load_subject
from recede_worker.engine.job.context import JobContext, Outcome
from recede_worker.engine.pruning.manifest import (
    config_of,
    describe_cut,
    metadata_of,
)

PROOF_IMAGES = 256


class Steps:
    """Tells which step the job is at; between two of them it can be cancelled."""

    def __init__(self, context: JobContext, formats: tuple[str, ...]) -> None:
        self.context = context
        self.names = ["cut and compare", "weights and model.py"]
        self.names += [NAMES[name] for name in ("pt2", "onnx") if name in formats]
        self.names += ["latency", "validation images", "test images", "manifest and ZIP"]
        self._left: Iterator[tuple[int, str]] = iter(enumerate(self.names))

    def next(self, stage: str) -> None:
        """The next step begins.

        Raises:
            Cancelled, Interrupted: it is not to begin.
        """
        done, name = next(self._left)
        self.context.check()
        self.context.progress(stage, done, len(self.names), "steps", message=name)


def run_prune(context: JobContext) -> Outcome:
    """Write the network that the plan keeps; a checkpoint appears only if its proof holds."""
    payload = PrunePayload.model_validate(context.lease.payload)
    subject = load_subject(context, payload.plan.epoch)
    selection = subject.select(payload.plan)
    steps = Steps(context, payload.formats)
    checkpoint_id = runs.new_id()
    folder = folder_of(context.folder, checkpoint_id)
    with new_folder(folder) as temporary:
        written, proof = _write_and_prove(subject, selection, payload, temporary, steps)
        steps.next("measuring")
        latency = measure_pair(subject, selection)
        measured = _measure(subject, written.reloaded, steps)
        steps.next("packing")
        described = describe_cut(subject, selection, payload, proof, measured, latency)
        manifest = write_manifest(temporary, described)
        write_bundle(temporary, manifest)
    files = files_in(folder, context.settings.artifacts)
    with context.write() as session:
        row = evaluations.put_checkpoint(
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
    subject: Subject, selection: Selection, payload: PrunePayload, folder: Path, steps: Steps
) -> tuple[Written, Proof]:
    """Files in the folder and the network read back from them."""
    steps.next("cutting")
    cut = subject.cut(selection)
    masked = subject.masked(selection)
    sample = subject.data.validation.head(PROOF_IMAGES)
    x_NCHW = subject.data.normalise.apply(sample)
    macs = dense_cost(subject.network.shape).macs
    n_exact, exact, expected = exact_difference(cut, masked, x_NCHW, macs)
    largest = largest_output(masked, x_NCHW)
    limit = rounding(masked, largest)
    cut_vs_masked = require_same("Cut and masked network", cut, masked, x_NCHW, limit)
    expected.save(folder / NAMES["proof"])
    written = _write_all(subject, selection, payload.formats, cut, x_NCHW, limit, folder, steps)
    proof = Proof(
        images=len(x_NCHW),
        cut_vs_masked=cut_vs_masked,
        images_float64=n_exact,
        cut_vs_masked_float64=exact,
        file_vs_memory=written.file_vs_memory,
        pt2_vs_memory=written.pt2_vs_memory,
        onnx_vs_memory=written.onnx_vs_memory,
        onnx_same_top1=written.onnx_same_top1,
        largest_output=largest,
    )
    subject.context.log(f"proof on {proof.images} validation images: {vars(proof)}")
    return written, proof


def _write_all(
    subject: Subject,
    selection: Selection,
    formats: tuple[str, ...],
    cut: nn.Module,
    x_NCHW: Tensor,
    limit: float,
    folder: Path,
    steps: Steps,
) -> Written:
    steps.next("writing")
    source = subject.network.architecture.source(config_of(subject, selection))
    reloaded = write_model(cut, source, folder)
    file = require_same("File and network in memory", reloaded, cut, x_NCHW, limit)
    pt2 = onnx = top_1 = None
    if {"pt2", "onnx"} & set(formats):
        program = program_of(cut, x_NCHW[:2])
    if "pt2" in formats:
        steps.next("writing")
        save_program(program, folder / NAMES["pt2"])
        pt2 = prove_program(folder / NAMES["pt2"], cut, x_NCHW, limit)
    if "onnx" in formats:
        steps.next("writing")
        wanted_NK, path = scores(cut, x_NCHW), folder / NAMES["onnx"]
        about = metadata_of(subject, selection)
        onnx, top_1 = prove_onnx(program, path, about, wanted_NK, x_NCHW, limit)
    return Written(reloaded, file, pt2, onnx, top_1)


def _measure(subject: Subject, reloaded: nn.Module, steps: Steps) -> dict[str, Evaluation]:
    """Accuracy of the network that was read back from its file, and of the uncut one."""
    context, normalise = subject.context, subject.data.normalise
    steps.next("verifying")
    model = reloaded.to(context.device)
    measured = {"validation": evaluate(model, subject.validation, normalise, context.check)}
    steps.next("verifying")
    test_split = subject.data.test.to(context.device)
    measured["test"] = evaluate(model, test_split, normalise, context.check)
    with context.store.read() as session:
        run = runs.get(session, context.lease.run_id)
    if run.test_correct is None or subject.checkpoint.epoch != run.best_epoch:
        dense = copy.deepcopy(subject.dense).to(context.device)  # others work with it
        measured["dense_test"] = evaluate(dense, test_split, normalise, context.check)
    return measured
