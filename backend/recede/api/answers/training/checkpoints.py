"""Checkpoints as answers: what they are, and what their files are called."""

from __future__ import annotations

from collections.abc import Sequence

from recede.api.answers.snippets.checkpoints import file_snippets
from recede.contract.schemas import BenchOut, CheckpointOut, FileOut
from recede.contract.states import CheckpointKind
from recede.store.tables.benches import BenchRow
from recede.store.tables.runs import CheckpointRow

_SUFFIXES = {
    "safetensors": ".safetensors",
    "manifest": ".json",
    "python": ".py",
    "proof": "-proof.safetensors",
    "int8": "-int8.onnx",
}


def checkpoint_out(row: CheckpointRow, timed: Sequence[BenchRow] = ()) -> CheckpointOut:
    """One set of weights with the addresses of its files, and what was timed of them."""
    files = {
        name: FileOut(
            size_bytes=stored["size_bytes"],
            sha256=stored["sha256"],
            url=f"/api/v1/checkpoints/{row.id}/download?format={name}",
            filename=filename(row, name),
        )
        for name, stored in row.files.items()
    }
    found = CheckpointOut(
        id=row.id,
        run_id=row.run_id,
        kind=CheckpointKind(row.kind),
        epoch=row.epoch,
        created_at=row.created_at,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        formats=list(files),
        files=files,
        manifest=row.manifest,
        benches=[bench_out(one) for one in timed if one.checkpoint_id == row.id],
    )
    return found.model_copy(update={"snippets": file_snippets(found)})


def bench_out(row: BenchRow) -> BenchOut:
    """One timing of a device elsewhere."""
    return BenchOut.model_validate(row, from_attributes=True)


def filename(row: CheckpointRow, format_: str) -> str:
    """What a downloaded file is called: it says where it comes from and how much was cut."""
    parts = ["recede", row.run_id, row.kind, f"e{row.epoch}"]
    ratio = row.manifest.get("ratio")
    if row.kind != CheckpointKind.TRAINED.value and isinstance(ratio, int | float):
        parts.append(f"r{ratio:.0%}".removesuffix("%"))
    # Python modules are imported by name, and a hyphen is no part of one.
    joint = "_" if format_ == "python" else "-"
    return joint.join(parts) + _SUFFIXES.get(format_, f".{format_}")
