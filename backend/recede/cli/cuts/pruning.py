"""Commands that make a smaller network and fetch it: prune, download."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import DownloadColumn, Progress, TransferSpeedColumn

from recede.cli.cuts.checkpoints import show_int8
from recede.cli.cuts.explore import (
    scored,
    settled,
    to_its_end,
)
from recede.cli.cuts.plan_options import Asked, taking_plan
from recede.cli.terminal.console import (
    DEFAULT_URL,
    RunArgument,
    Url,
    count,
    err,
    out,
    percent,
)
from recede.client import RecedeClient
from recede.contract.errors import StorageProblem
from recede.contract.schemas import JobOut


@taking_plan
def prune(
    run: RunArgument,
    asked: Asked,
    url: Url = DEFAULT_URL,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format", help="safetensors, pt2, onnx (default: these) or int8; several times."
        ),
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--out", help="Folder for the files; implies --watch.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show progress until it ends.")] = False,
) -> None:
    """Cut a network as planned; with --out download the files and verify them."""
    if target is not None:
        _make_folder(target)
    with RecedeClient(url) as client:
        plan = settled(client, run, asked)
        preview = scored(client, run, plan, lambda: client.preview(run, plan))
        job = client.prune(run, plan, formats=formats).job
        out.print(
            f"job {job.id}: cut {percent(preview.ratio)} of the neurons of epoch {preview.epoch}: "
            f"{count(preview.cost.params)} of {count(preview.dense.params)} parameters, "
            f"{count(preview.cost.macs)} of {count(preview.dense.macs)} MACs stay",
            soft_wrap=True,
        )
        if watch or target is not None:
            _finish(client, job, target)


def download(
    checkpoint: Annotated[str, typer.Argument(metavar="CHECKPOINT", help="Id of the checkpoint.")],
    url: Url = DEFAULT_URL,
    format_: Annotated[
        str,
        typer.Option(
            "--format", help="zip, safetensors, python, pt2, onnx, int8, proof or manifest."
        ),
    ] = "safetensors",
    target: Annotated[
        str, typer.Option("--out", help="File or folder; a new folder ends in a slash.")
    ] = ".",
) -> None:
    """Download one file of a checkpoint and verify its SHA-256."""
    with RecedeClient(url) as client:
        _fetch(client, checkpoint, format_, target)


def _finish(client: RecedeClient, queued: JobOut, target: Path | None) -> None:
    later = f"; the run {queued.run_id} will list its files"
    result = to_its_end(client, queued, later).result or {}
    accuracy = result["test_correct"] / result["n_test"]
    out.print(
        f"test accuracy of the written file: {percent(accuracy, 2)} of {result['n_test']} images"
    )
    checkpoint = client.checkpoint(str(result["checkpoint_id"]))
    out.print(f"checkpoint {checkpoint.id}, SHA-256 {checkpoint.sha256}", soft_wrap=True)
    show_int8(checkpoint.manifest)
    if target is None:
        out.print(f"fetch it: recede download {checkpoint.id}", style="dim")
        return
    for name in checkpoint.formats:
        if name != "zip":  # it holds the others once more
            _fetch(client, checkpoint.id, name, target)


def _fetch(client: RecedeClient, checkpoint_id: str, format_: str, target: Path | str) -> None:
    file = client.checkpoint(checkpoint_id).files.get(format_)
    columns = (*Progress.get_default_columns()[:3], DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(format_, total=file.size_bytes if file else None)
        try:
            path = client.download(
                checkpoint_id,
                target,
                format=format_,
                on_progress=lambda n_bytes: progress.advance(task, n_bytes),
            )
        except OSError as error:
            raise _cannot_write(Path(target), error) from error
    out.print(f"{path}  (SHA-256 verified)", soft_wrap=True)


def _make_folder(target: Path) -> None:
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(target, error) from error


def _cannot_write(target: Path, error: OSError) -> StorageProblem:
    return StorageProblem(
        f"Cannot write to {target}: {error.strerror or error}.",
        field="out",
        hint="Choose a folder that you may write with --out.",
    )
