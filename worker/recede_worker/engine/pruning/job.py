"""The prune job: cut, prove, write, read back, measure the file on the test set, pack."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from recede.contract.cut.selection import Selection
from recede.contract.network.cost import dense_cost
from recede.contract.spec.run import PrunePayload
from recede.contract.states import CheckpointKind
from recede.store.experiments import runs
from recede.store.queue.lease import LeaseLost
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
from recede_worker.engine.evaluation.accuracy import Evaluation, evaluate
from recede_worker.engine.evaluation.latency_job import measure_pair
from recede_worker.engine.evaluation.ranking import select_channels
from recede_worker.engine.evaluation.trained_epoch import TrainedEpoch
from recede_worker.engine.inputs.run import RunInputs
from recede_worker.engine.job.handle import JobHandle, Outcome
from recede_worker.engine.job.stop import Stop
from recede_worker.engine.pruning.manifest import (
    config_of,
    describe_cut,
    metadata_of,
)
from recede_worker.engine.quantisation.measured import Int8

PROOF_IMAGES = 256


class Steps:
    """Reports which step the job is at; between two of them it can be cancelled."""

    def __init__(self, job: JobHandle, formats: tuple[str, ...]) -> None:
        self.job = job
        self.names = ["cut and compare", "weights and model.py"]
        self.names += [NAMES[name] for name in ("pt2", "onnx") if name in formats]
        self.names += ["latency", "validation images", "test images"]
        self.names += ["INT8"] if "int8" in formats else []
        self.names += ["manifest and ZIP"]
        self._left: Iterator[tuple[int, str]] = iter(enumerate(self.names))

    def next(self, stage: str) -> None:
        """The next step begins.

        Raises:
            Cancelled, Interrupted: the job should stop.
        """
        done, name = next(self._left)
        self.job.check()
        self.job.progress(stage, done, len(self.names), "steps", message=name)


def run_prune(
    job: JobHandle, run: RunInputs, trained: TrainedEpoch, payload: PrunePayload
) -> Outcome:
    """Write the network that the plan keeps; a checkpoint appears only if its proof holds."""
    selection = select_channels(job, trained, payload.plan)
    steps = Steps(job, payload.formats)
    checkpoint_id = runs.new_id()
    folder = folder_of(run.folder, checkpoint_id)
    with new_folder(folder) as temporary:
        written, proof = _write_and_prove(trained, selection, payload, temporary, steps)
        job.log(f"proof on {proof.images} validation images: {vars(proof)}")
        steps.next("measuring")
        latency = measure_pair(job, trained, selection)
        measured = _measure(job, trained, written.reloaded, steps)
        described = describe_cut(job, trained, selection, payload, proof, measured, latency)
        if "int8" in payload.formats:
            steps.next("quantising")
            int8 = Int8(job, trained, temporary)
            described |= _quantise(int8, measured["test"], described, written.failed)
        _report_failed(job, trained, written.failed)
        steps.next("packing")
        described |= {"failed": dict(written.failed)} if written.failed else {}
        manifest = write_manifest(temporary, described)
        write_bundle(temporary, manifest)
    files = files_in(folder, run.artifacts)
    with job.write() as session:
        row = evaluations.put_checkpoint(
            session,
            id_=checkpoint_id,
            run_id=job.run_id,
            kind=CheckpointKind.PRUNED,
            epoch=trained.epoch,
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
            **({"failed": dict(written.failed)} if written.failed else {}),
        }
    )


def _write_and_prove(
    trained: TrainedEpoch, selection: Selection, payload: PrunePayload, folder: Path, steps: Steps
) -> tuple[Written, Proof]:
    """Files in the folder and the network read back from them."""
    steps.next("cutting")
    cut = trained.cut(selection)
    masked = trained.masked(selection)
    sample = trained.data.validation.head(PROOF_IMAGES)
    x_NCHW = trained.data.normalise.apply(sample)
    macs = dense_cost(trained.network.shape).macs
    n_exact, exact, expected = exact_difference(cut, masked, x_NCHW, macs)
    largest = largest_output(masked, x_NCHW)
    limit = rounding(masked, largest)
    cut_vs_masked = require_same("Cut and masked network", cut, masked, x_NCHW, limit)
    expected.save(folder / NAMES["proof"])
    written = _write_all(trained, selection, payload.formats, cut, x_NCHW, limit, folder, steps)
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
    return written, proof


def _write_all(
    trained: TrainedEpoch,
    selection: Selection,
    formats: tuple[str, ...],
    cut: nn.Module,
    x_NCHW: Tensor,
    limit: float,
    folder: Path,
    steps: Steps,
) -> Written:
    steps.next("writing")
    source = trained.network.architecture.source(config_of(trained, selection))
    reloaded = write_model(cut, source, folder)
    file = require_same("File and network in memory", reloaded, cut, x_NCHW, limit)
    program = cache(lambda: program_of(cut, x_NCHW[:2]))
    failed: dict[str, str] = {}
    pt2: float | None = None
    onnx: tuple[float | None, int | None] = (None, None)
    if "pt2" in formats:
        steps.next("writing")
        path = folder / NAMES["pt2"]
        with _kept_apart("pt2", path, failed):
            save_program(program(), path)
            pt2 = prove_program(path, cut, x_NCHW, limit)
    if "onnx" in formats:
        steps.next("writing")
        path = folder / NAMES["onnx"]
        with _kept_apart("onnx", path, failed):
            about, wanted_NK = metadata_of(trained, selection), scores(cut, x_NCHW)
            onnx = prove_onnx(program(), path, about, wanted_NK, x_NCHW, limit)
    return Written(reloaded, file, pt2, *onnx, failed)


def _quantise(
    int8: Int8, cut: Evaluation, described: Mapping[str, Any], failed: dict[str, str]
) -> dict[str, Any]:
    """The INT8 file and what the manifest says of it; nothing where it cannot be made."""
    if "onnx" in failed:
        failed["int8"] = "It is made of the ONNX file, which could not be made."
        return {}
    found: dict[str, Any] = {}
    with _kept_apart("int8", int8.target, failed):
        found["int8"] = int8.run(cut, described["accuracy"]["dense_test"])
    return found


@contextmanager
def _kept_apart(name: str, path: Path, failed: dict[str, str]) -> Iterator[None]:
    """Remove a format that cannot be made or proven, and note why; the others stay."""
    try:
        yield
    except (MemoryError, Stop, LeaseLost):
        raise
    except Exception as error:  # noqa: BLE001 - whatever torch's exporters raise
        path.unlink(missing_ok=True)
        failed[name] = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"


def _report_failed(job: JobHandle, trained: TrainedEpoch, failed: Mapping[str, str]) -> None:
    for name, reason in failed.items():
        message = f"{NAMES[name]} could not be made of this cut; the other files are there."
        job.log(f"{message} {reason}")
        with job.write() as session:
            runs.notice(
                session, job.run_id, f"no_{name}", message, hint=reason, epoch=trained.epoch
            )


def _measure(
    job: JobHandle, trained: TrainedEpoch, reloaded: nn.Module, steps: Steps
) -> dict[str, Evaluation]:
    """Accuracy of the network that was read back from its file, and of the uncut one."""
    normalise = trained.data.normalise
    steps.next("verifying")
    model = reloaded.to(trained.device)
    measured = {"validation": evaluate(model, trained.validation, normalise, job.check)}
    steps.next("verifying")
    test_split = trained.data.test.to(trained.device)
    measured["test"] = evaluate(model, test_split, normalise, job.check)
    with job.read() as session:
        row = runs.get(session, job.run_id)
    if row.test_correct is None or trained.epoch != row.best_epoch:
        dense = copy.deepcopy(trained.dense).to(trained.device)  # the cache keeps the original
        measured["dense_test"] = evaluate(dense, test_split, normalise, job.check)
    return measured
