"""The INT8 file of a cut: written, measured beside the float networks, a loss traced to layers."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from recede.contract.measuring.accuracy import wilson_interval
from recede.store.database import clock
from recede.store.experiments import runs
from recede.store.results import latencies
from recede_worker.core.device.latency import p95, time_in_turns
from recede_worker.engine.checkpoints.export import program_of
from recede_worker.engine.checkpoints.onnx_file import OnnxNetwork, write_onnx
from recede_worker.engine.checkpoints.proof import Expected
from recede_worker.engine.checkpoints.weights import NAMES
from recede_worker.engine.evaluation.accuracy import Evaluation, evaluate
from recede_worker.engine.evaluation.latency_job import BATCHES, LIMIT_S
from recede_worker.engine.evaluation.trained_epoch import TrainedEpoch
from recede_worker.engine.job.handle import JobHandle
from recede_worker.engine.quantisation.ranking import rank_layers
from recede_worker.engine.quantisation.static import (
    CALIBRATION_IMAGES,
    METHOD,
    calibration_batches,
    quantise,
)
from recede_worker.process.machine import cpu_name

FLAGGED_DROP = 0.01
"""A larger loss of test accuracy, as a share of the images, is traced to its layers."""
PARTS = ("calibration", "validation images", "test images", "latency")

Values = dict[str, Any]


@dataclass(frozen=True)
class Int8:
    """Writes and measures one INT8 file beside the float ONNX file in the same folder."""

    job: JobHandle
    trained: TrainedEpoch
    folder: Path

    def run(self, cut: Evaluation, dense: Mapping[str, Any]) -> Values:
        """What the manifest says of it; `cut` and `dense` were measured on the test images.

        Raises:
            Cancelled, Interrupted: the job should stop.
            Exception: whatever onnxruntime raises for a network that it cannot quantise.
        """
        self._say(0)
        train, normalise = self.trained.data.train, self.trained.data.normalise
        batches = calibration_batches(train, normalise, self.trained.spec.seed)
        quantise(self.source, self.target, batches)
        model = OnnxNetwork(self.target)
        self._say(1)
        validation = evaluate(model, self.trained.data.validation, normalise, self.job.check)
        self._say(2)
        test = evaluate(model, self.trained.data.test, normalise, self.job.check)
        self._say(3)
        rows = self._rows([dense, vars(cut), vars(test)])
        drop = (cut.correct - test.correct) / test.n
        traced = self._traced(validation, drop) if drop > FLAGGED_DROP else {}
        return {
            "calibration": {
                "images": min(CALIBRATION_IMAGES, len(train)),
                "of": "training images",
                "method": METHOD,
            },
            "table": rows,
            "validation": {"correct": validation.correct, "n": validation.n},
            "drop": drop,
            "flagged": drop > FLAGGED_DROP,
            **self._compared(model),
            **traced,
        }

    @property
    def source(self) -> Path:
        """The float ONNX file."""
        return self.folder / NAMES["onnx"]

    @property
    def target(self) -> Path:
        """The INT8 file."""
        return self.folder / NAMES["int8"]

    def _say(self, done: int) -> None:
        self.job.check()
        self.job.progress("quantising", done, len(PARTS), "parts", message=f"INT8: {PARTS[done]}")

    def _rows(self, accuracies: list[Mapping[str, Any]]) -> list[Values]:
        """Dense, cut and INT8 network: accuracy, size of the ONNX file, latency."""
        with tempfile.TemporaryDirectory(prefix="recede-") as folder:
            dense = Path(folder) / NAMES["onnx"]
            model = self.trained.cut(self.trained.whole())
            write_onnx(program_of(model, self._images(2)), dense, {})
            files = (dense, self.source, self.target)
            timed = self._timed([OnnxNetwork(file) for file in files])
            return [
                {
                    "network": name,
                    "correct": accuracy["correct"],
                    "n": accuracy["n"],
                    **dict(zip(("low", "high"), _interval(accuracy), strict=True)),
                    "size_bytes": file.stat().st_size,
                    "latency": of_network,
                }
                for name, accuracy, file, of_network in zip(
                    ("dense", "cut", "int8"), accuracies, files, timed, strict=True
                )
            ]

    def _timed(self, networks: list[OnnxNetwork]) -> list[list[Values]]:
        """Latency of each network at each batch size, measured in turns."""
        found: list[list[Values]] = [[] for _ in networks]
        for batch in BATCHES:
            with self.job.read() as session:
                since = clock.now(session)
            x_NCHW = self._images(1)[:0].new_zeros(batch, *self.trained.data.input_shape)
            passes = [network.pass_of(x_NCHW) for network in networks]
            times = time_in_turns(passes, limit_s=LIMIT_S, between=self.job.check)
            with self.job.read() as session:
                busy = latencies.others_ran(session, self.job.lease.job_id, since)
            for rows, times_ms in zip(found, times, strict=True):
                rows.append(
                    {
                        "batch": batch,
                        "median_ms": statistics.median(times_ms),
                        "p95_ms": p95(times_ms),
                        "n": len(times_ms),
                        "device": cpu_name(),
                        "threads": torch.get_num_threads(),
                        "busy": busy,
                    }
                )
        return found

    def _images(self, n: int) -> torch.Tensor:
        return self.trained.data.normalise.apply(self.trained.data.validation.head(n))

    def _compared(self, model: OnnxNetwork) -> Values:
        """How far its scores are from the masked float network's, on the images of the proof."""
        expected = Expected.read(self.folder / NAMES["proof"])
        found_NK = model(expected.x_NCHW).double()
        same = int((found_NK.argmax(1) == expected.scores_NK.argmax(1)).sum())
        difference = float((found_NK - expected.scores_NK).abs().max())
        return {
            "compared": {
                "images": len(found_NK),
                "same_top1": same,
                "largest_difference": difference,
            }
        }

    def _traced(self, validation: Evaluation, drop: float) -> Values:
        """The layers ranked by what they give back in float, and the finding in words."""

        def report(done: int, total: int, layer: str) -> None:
            self.job.check()
            message = f"INT8: {layer} in float"
            self.job.progress("quantising", done, total, "layers", message=message)

        data = self.trained.data
        files = (self.target, self.source)
        ranked = rank_layers(files, data.validation, data.normalise, validation, report)
        message = f"INT8 costs {100 * drop:.1f} points of test accuracy. {in_words(ranked)}"
        self.job.log(message)
        with self.job.write() as session:
            runs.notice(
                session,
                self.job.run_id,
                "int8_drop",
                message,
                hint="The float files of this cut are unaffected.",
                epoch=self.trained.epoch,
            )
        return {"layers": ranked, "finding": message}


def _interval(accuracy: Mapping[str, Any]) -> tuple[float, float]:
    return wilson_interval(accuracy["correct"], accuracy["n"])


def in_words(ranked: Mapping[str, Any]) -> str:
    """The layers that bring accuracy back when they stay in float, and on what that rests."""
    before, n = ranked["correct"], ranked["images"]
    causes = [entry for entry in ranked["in_float"] if entry["correct"] > before]
    tried = f"{ranked['tried']} of {ranked['layers_in_all']} layers tried"
    if not causes:
        return f"No single layer in float brings images back ({n} validation images, {tried})."
    shown = ", ".join(f"{one['layer']} {one['correct'] - before:+d}" for one in causes[:5])
    return (
        f"Images right again with one layer in float, of {n} validation images: {shown} ({tried})."
    )
