"""Static quantisation of an ONNX file by onnxruntime: INT8 with a scale a weight channel, QDQ."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from recede_worker.engine.checkpoints.onnx_file import INPUT, quiet
from recede_worker.engine.inputs.splits import Normalisation, Split

CALIBRATION_IMAGES = 256
CALIBRATION_BATCH = 32
METHOD = "MinMax"
"""How ranges follow from the calibration images: from the least to the largest value seen."""


def calibration_batches(train: Split, normalise: Normalisation, seed: int) -> Iterator[Tensor]:
    """Training images drawn by the seed, unaugmented and normalised, on the CPU."""
    order_N = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))
    drawn = train.pick(order_N[:CALIBRATION_IMAGES])
    for x_BCHW, _ in drawn.evaluation_batches(normalise, CALIBRATION_BATCH):
        yield x_BCHW.cpu().contiguous()


def quantise(source: Path, target: Path, batches: Iterable[Tensor]) -> None:
    """Write the INT8 network of a float one; activations get their ranges from the batches.

    Raises:
        Exception: whatever onnxruntime raises for a network that it cannot quantise.
    """
    quantization = importlib.import_module("onnxruntime.quantization")
    shapes = importlib.import_module("onnxruntime.quantization.shape_inference")
    with quiet(), tempfile.TemporaryDirectory(prefix="recede-") as folder:
        prepared = Path(folder) / "prepared.onnx"
        shapes.quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        quantization.quantize_static(
            str(prepared),
            str(target),
            _Reader(batches),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            # Unsigned: x86's instructions multiply unsigned by signed bytes, and kernels for two
            # signed ones took 3 to 4 times as long there (onnxruntime 1.31, ResNet-18, VNNI).
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod[METHOD],
        )
    _tidy(target)


class _Reader:
    """What onnxruntime asks for one batch after the other."""

    def __init__(self, batches: Iterable[Tensor]) -> None:
        self._left = iter(batches)

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self._left, None)
        return None if batch is None else {INPUT: batch.numpy()}


def _tidy(path: Path) -> None:
    """Leave the scores in float, and drop operator sets that are named without need."""
    onnx = importlib.import_module("onnx")
    model = onnx.load(path)
    _keep_scores_float(model.graph)
    used = {node.domain for node in model.graph.node}
    kept = [domain for domain in model.opset_import if domain.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    onnx.save(model, path)


def _keep_scores_float(graph: Any) -> None:
    """Without the rounding of the last outputs, which only makes scores saturate and tie."""
    makers = {name: node for node in graph.node for name in node.output}
    for output in graph.output:
        dequantize = makers.get(output.name)
        quantize = None if dequantize is None else makers.get(dequantize.input[0])
        if dequantize is None or quantize is None or quantize.op_type != "QuantizeLinear":
            continue
        inner = quantize.input[0]
        graph.node.remove(quantize)
        graph.node.remove(dequantize)
        for node in graph.node:
            for names in (node.input, node.output):
                for place, name in enumerate(names):
                    if name == inner:
                        names[place] = output.name
