"""`recede inspect`: checks a folder of images as a run would, before there is a run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from recede.cli.service.extras import require_worker
from recede.cli.terminal.console import (
    BAD_INPUT,
    FAILED,
    Data,
    err,
    out,
)
from recede.contract.errors import (
    InvalidInput,
    RecedeError,
    StorageProblem,
)
from recede.contract.spec.catalog import (
    CHANNELS,
    MAX_IMAGE,
    MIN_IMAGE,
)
from recede.settings import Settings

SHOWN_BAD = 10

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Holds train/CLASS/….")]
ImageSize = Annotated[
    int, typer.Option("--image-size", min=MIN_IMAGE, max=MAX_IMAGE, help="Pixels, as in the run.")
]
Colour = Annotated[str, typer.Option("--colour", help="rgb or grey, as in the run.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]


def inspect(
    folder: Folder,
    image_size: ImageSize = 64,
    colour: Colour = "rgb",
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Open every image of a folder; ends with 1 if files are bad, 2 if it cannot be used."""
    require_worker("recede inspect")
    if colour not in CHANNELS:
        raise InvalidInput(f"Colour was {colour!r}; it must be rgb or grey.", field="--colour")
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is not a folder.", hint="Name the folder that has train/.")
    settings = Settings.read(os.environ, data=data)
    command = [sys.executable, "-m", "recede_worker", "--inspect", str(folder.absolute())]
    command += ["--image-size", str(image_size), "--channels", str(CHANNELS[colour])]
    for root in (settings.datasets, *settings.data_roots):
        command += ["--data-root", str(root)]
    answer = _run(command)
    report = answer.get("report")
    if as_json:
        out.print_json(json.dumps(answer))
    elif report is not None:
        _show(report, below_a_data_root=answer["below_a_data_root"])
    if "error" in answer:
        error = answer["error"]
        if not as_json:
            err.print(f"{error['message']} {error.get('hint', '')}", style="red", soft_wrap=True)
        raise typer.Exit(BAD_INPUT)
    if report is not None and report["bad"]["count"]:
        raise typer.Exit(FAILED)


def _run(command: list[str]) -> dict[str, Any]:
    """The answer of a worker that only checks; a bar shows how far it is."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with (
        tempfile.TemporaryFile("w+") as said,
        Progress(*columns, console=err, transient=True) as bar,
        subprocess.Popen(  # noqa: S603 - our own command line
            command, stdout=subprocess.PIPE, stderr=said, text=True
        ) as worker,
    ):
        task = bar.add_task("Starting", total=None)
        assert worker.stdout is not None
        for line in worker.stdout:
            progress: dict[str, Any] = json.loads(line)
            if "message" not in progress:
                return progress
            bar.update(
                task,
                description=progress["message"],
                completed=progress["done"],
                total=max(progress["done"], progress["total"]),
            )
        worker.wait()
        said.seek(0)
        last = said.read().strip().splitlines()[-1:] or [f"exit code {worker.returncode}"]
    raise _broken(last[0])


def _broken(words: str) -> RecedeError:
    return StorageProblem(
        f"The check ended before its time: {words}.", hint="`recede doctor` looks for the cause."
    )


def _show(report: dict[str, Any], *, below_a_data_root: bool) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for what, detail in _rows(report):
        table.add_row(what, detail)
    out.print(table)
    for file in report["bad"]["files"][:SHOWN_BAD]:
        out.print(f"bad: {file['path']}: {file['reason']}", style="red", markup=False)
    more = report["bad"]["count"] - SHOWN_BAD
    if more > 0:
        out.print(f"and {more} more; --json lists up to 50.", style="red")
    if not below_a_data_root:
        out.print(
            "To train on it, put it into a data root, or name its parent in RECEDE_DATA_ROOTS.",
            style="yellow",
            soft_wrap=True,
        )


def _rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    bad, sizes, parts = report["bad"]["count"], report["sizes"], report["parts"]
    rows = [
        ("good images", f"{report['images']} ({_counts(parts)})"),
        ("bad files", str(bad)),
        ("classes", f"{len(report['classes'])}: {_counts(report['classes'])}"),
        ("modes", _counts(report["modes"])),
    ]
    if sizes:
        smallest, largest = ("×".join(map(str, sizes[which])) for which in sizes)
        rows.append(("sizes", f"{smallest} to {largest} pixels"))
    if report["ignored"]:
        rows.append(("ignored", f"{_counts(report['ignored'])}: not taken for images"))
    numbers = {name: ", ".join(f"{v:.4f}" for v in report[name]) for name in ("mean", "std")}
    return [*rows, *numbers.items()]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in counts.items())
