"""A tiny ONNX network, and a checkpoint that has it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from recede.contract.states import CheckpointKind
from recede.store.database.engine import Store
from recede.store.experiments import runs
from recede.store.results import evaluations
from recede.store.results.evaluations import StoredFile


def network(path: Path, batch: int | str = "batch", seed: int = 0) -> str:
    """Write a linear layer over images of 1 × 4 × 4; the file's SHA-256."""
    weights = np.random.default_rng(seed).normal(size=(16, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Flatten", ["images"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 1, 4, 4])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, 3])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def add_cut(store: Store, run_id: str, sha256: str, ratio: float) -> str:
    """A checkpoint of a cut with this ONNX file; its id."""
    id_ = runs.new_id()
    files = {
        "safetensors": StoredFile(f"{id_}.safetensors", 1, hashlib.sha256(b"w").hexdigest()),
        "onnx": StoredFile(f"{id_}.onnx", 1, sha256),
    }
    plan: dict[str, Any] = {"ratio": ratio, "epoch": 3}
    with store.write() as session:
        evaluations.put_checkpoint(
            session,
            id_=id_,
            run_id=run_id,
            kind=CheckpointKind.PRUNED,
            epoch=3,
            files=files,
            manifest={"ratio": ratio, "plan": plan},
        )
    return id_


def body(sha256: str, *medians: float, **changes: Any) -> dict[str, Any]:
    """What a device sends; one row for each median."""
    row = {"runtime": "onnxruntime", "version": "1.31", "provider": "CPUExecutionProvider",
           "device": "a board", "threads": 4, "batch": 1, "n": 50, **changes}  # fmt: skip
    rows = [{**row, "median_ms": median, "p95_ms": 2 * median} for median in medians]
    return {"sha256": sha256, "file": "model.onnx", "rows": rows}
