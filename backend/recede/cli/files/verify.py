"""`recede verify`: repeats the proof of downloaded files, on any machine and without a service."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from recede.cli.service.extras import require_worker
from recede.cli.terminal.console import (
    FAILED,
    count,
    err,
    out,
    percent,
)
from recede.contract.errors import StorageProblem

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="A ZIP, a folder, or one file beside its manifest.")
]
Trust = Annotated[
    bool,
    typer.Option("--trust", help="Run its model.py even if it is more than layers: it is code."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")]
COLOURS = {"ok": "green", "failed": "red", "skipped": "yellow"}


def verify(file: File, trust: Trust = False, as_json: AsJson = False) -> None:
    """Prove that files compute what was previewed; ends with 1 if they do not."""
    require_worker("recede verify")
    # -P: nothing that lies in the folder where the person is can pass for a module of ours.
    command = [sys.executable, "-P", "-m", "recede_worker", "--verify", str(file.absolute())]
    answer = answer_of(command + ["--trust"] * trust)
    if as_json:
        out.print_json(json.dumps(answer))
    else:
        _show(answer)
    if not answer["ok"]:
        raise typer.Exit(FAILED)


def answer_of(command: list[str]) -> dict[str, Any]:
    """The last line of a worker that only checks files, which has "ok"; its progress is shown.

    Raises:
        StorageProblem: it ended before its time.
    """
    with (
        tempfile.TemporaryFile("w+") as said,
        err.status("Reading") as status,
        subprocess.Popen(  # noqa: S603 - our own command line
            command, stdout=subprocess.PIPE, stderr=said, text=True
        ) as worker,
    ):
        assert worker.stdout is not None
        for line in worker.stdout:
            message = _parsed(line)
            if "ok" in message:
                return message
            status.update(str(message.get("message", "")))
        worker.wait()
        said.seek(0)
        last = said.read().strip().splitlines()[-1:] or [f"exit code {worker.returncode}"]
    raise StorageProblem(
        f"The check ended before its time: {last[0]}.",
        hint="`recede doctor` looks for the cause.",
    )


def _parsed(line: str) -> dict[str, Any]:
    """One line of the worker; what code that was trusted prints is passed over."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _show(answer: dict[str, Any]) -> None:
    if "error" in answer:
        error = answer["error"]
        err.print(f"{error['message']} {error.get('hint') or ''}", style="red", soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for check in answer["checks"]:
        colour = COLOURS[check["state"]]
        table.add_row(f"[{colour}]{check['state']}[/]", check["what"], check["detail"])
    out.print(table)
    _show_about(answer["about"])
    words, colour = _verdict(answer)
    out.print(words, style=colour, soft_wrap=True)


def _verdict(answer: dict[str, Any]) -> tuple[str, str]:
    if answer["ok"]:
        return "Proved: the files compute what was previewed.", "green"
    if answer["wrong"]:
        return "Not proved: do not use these files.", "red"
    if any(check["state"] == "ok" and "≈" in check["what"] for check in answer["checks"]):
        words = (
            "Not proved: the INT8 file computes what was measured, but no float file was computed"
        )
        return f"{words}; see what was skipped.", "yellow"
    return (
        "Not proved: nothing is wrong, but nothing was computed; see what was skipped.",
        "yellow",
    )


def _show_about(about: dict[str, Any]) -> None:
    """What the manifest says of the network; it is proved no further than the files."""
    cost, dense = about.get("cost"), about.get("dense_cost")
    parts = [f"{about['architecture']}, run {about['run_id']}, epoch {about['epoch']}"]
    if cost and dense:
        parts.append(f"{count(cost['params'])} of {count(dense['params'])} parameters")
    test = (about.get("accuracy") or {}).get("test")
    if test and test.get("n"):
        parts.append(f"test accuracy {percent(test['correct'] / test['n'], 2)} of {test['n']}")
    table = (about.get("int8") or {}).get("table") or []
    parts += [
        f"INT8 {percent(row['correct'] / row['n'], 2)}"
        for row in table
        if row["network"] == "int8" and row.get("n")
    ]
    out.print("The manifest says: " + "; ".join(parts), style="dim", soft_wrap=True, markup=False)
