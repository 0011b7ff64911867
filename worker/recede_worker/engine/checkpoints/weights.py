"""Checkpoints on disk: one folder each, with weights, manifest and source, all plain PyTorch."""

from __future__ import annotations

import ast
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from recede.contract.errors import StorageProblem
from recede.store.results.evaluations import StoredFile
from recede.store.tables.runs import CheckpointRow
from recede_worker.engine.checkpoints.atomic_files import described, new_folder

NAMES = {
    "safetensors": "model.safetensors",
    "manifest": "manifest.json",
    "python": "model.py",
    "pt2": "model.pt2",
    "onnx": "model.onnx",
    "int8": "model-int8.onnx",
    "proof": "proof.safetensors",
    "zip": "all.zip",
}


@dataclass(frozen=True)
class Draft:
    """A checkpoint about to be written: a folded network, its source and its manifest."""

    id: str
    model: nn.Module
    source: str
    manifest: dict[str, Any]


def folder_of(run_folder: Path, checkpoint_id: str) -> Path:
    """Where a checkpoint's files lie."""
    return run_folder / "checkpoints" / checkpoint_id


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the plain state_dict as safetensors."""
    tensors = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
    save_file(tensors, path)


def write_manifest(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write the manifest with size and SHA-256 of every file that lies beside it.

    It also lists the packages that the source needs.
    """
    beside = [described(path, folder) for path in sorted(folder.iterdir())]
    files = {f.path: {"size_bytes": f.size_bytes, "sha256": f.sha256} for f in beside}
    needs = needs_of((folder / NAMES["python"]).read_text())
    whole = {**manifest, "needs": needs, "files": files}
    text = json.dumps(whole, indent=2, ensure_ascii=False)
    (folder / NAMES["manifest"]).write_text(text + "\n")
    return whole


def write_checkpoint(
    draft: Draft, run_folder: Path, artifacts: Path
) -> tuple[dict[str, StoredFile], dict[str, Any]]:
    """Write weights, source and manifest together; the files by format and the manifest."""
    folder = folder_of(run_folder, draft.id)
    with new_folder(folder) as temporary:
        save_weights(draft.model, temporary / NAMES["safetensors"])
        (temporary / NAMES["python"]).write_text(draft.source)
        manifest = write_manifest(temporary, draft.manifest)
    return files_in(folder, artifacts), manifest


def files_in(folder: Path, artifacts: Path) -> dict[str, StoredFile]:
    """The files of a checkpoint folder by format."""
    present = {form: folder / name for form, name in NAMES.items()}
    return {form: described(path, artifacts) for form, path in present.items() if path.exists()}


def read_weights(row: CheckpointRow, artifacts: Path) -> dict[str, Tensor]:
    """The state_dict of a checkpoint, after its SHA-256 was compared.

    Raises:
        StorageProblem: the file is gone or was altered.
    """
    path = artifacts / row.files["safetensors"]["path"]
    if not path.exists():
        raise StorageProblem(
            f"The weights of checkpoint {row.id} are gone from disk.",
            hint="Choose another epoch, or train the run again.",
        )
    if described(path, artifacts).sha256 != row.sha256:
        raise StorageProblem(
            f"The weights of checkpoint {row.id} were altered: their SHA-256 is another one.",
            hint="Choose another epoch, or train the run again.",
        )
    return load_file(path)


def remove_checkpoint(run_folder: Path, checkpoint_id: str) -> None:
    """Delete a checkpoint's files."""
    shutil.rmtree(folder_of(run_folder, checkpoint_id), ignore_errors=True)


def needs_of(source: str) -> list[str]:
    """The packages that a module imports, beside the standard library."""
    found: dict[str, None] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        found |= dict.fromkeys(name.partition(".")[0] for name in names)
    return [name for name in found if name not in sys.stdlib_module_names]
