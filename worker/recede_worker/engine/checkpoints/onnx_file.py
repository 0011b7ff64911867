"""A network as ONNX: written from its torch.export program, read with onnxruntime."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

OPSET = 23
"""A current one that the runtimes in use read (onnxruntime from 1.23 on)."""
INPUT, OUTPUT = "images", "scores"
BATCH = 32
"""Images that are put through at once, so that 256 large ones do not fill the memory."""
PROVIDER = "CPUExecutionProvider"
PACKAGES = ("onnx", "onnxruntime", "onnxscript")


def write_onnx(
    program: torch.export.ExportedProgram, path: Path, metadata: Mapping[str, str]
) -> None:
    """Write the program with its free batch size; `metadata` goes into the file."""
    with quiet():
        made: Any = torch.onnx.export(
            program,
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            verbose=False,
        )
    model = made.model
    for node in model.graph:
        node.metadata_props.clear()  # it holds lines of the code that was exported, with paths
    model.metadata_props.update(metadata)
    made.save(path)


class OnnxNetwork(nn.Module):
    """An ONNX file, or its content, that onnxruntime runs on the CPU with torch's threads.

    Raises:
        Exception: whatever onnxruntime raises for a file that it cannot read.
    """

    def __init__(self, file: Path | bytes) -> None:
        super().__init__()
        runtime = importlib.import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors only
        given = str(file) if isinstance(file, Path) else file
        self._session = runtime.InferenceSession(given, options, providers=[PROVIDER])
        self._input = self._session.get_inputs()[0].name

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Scores (N, classes)."""
        parts = [self._run(x_BCHW) for x_BCHW in torch.split(x_NCHW.cpu().contiguous(), BATCH)]
        return torch.cat(parts).to(x_NCHW.device)

    def pass_of(self, x_NCHW: Tensor) -> Callable[[], object]:
        """One forward pass of exactly this batch, to be timed."""
        inputs = {self._input: x_NCHW.cpu().contiguous().numpy()}
        return lambda: self._session.run(None, inputs)

    def _run(self, x_BCHW: Tensor) -> Tensor:
        found = self._session.run(None, {self._input: x_BCHW.numpy()})[0]
        return torch.from_numpy(found)


def onnx_scores(path: Path, x_NCHW: Tensor) -> Tensor:
    """Scores (N, classes) that onnxruntime computes on the CPU.

    Raises:
        Exception: whatever onnxruntime raises for a file that it cannot read.
    """
    found: Tensor = OnnxNetwork(path)(x_NCHW)
    return found


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what exporters say of their own internals out of the log; errors are raised."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
