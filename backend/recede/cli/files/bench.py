"""`recede bench`: how long a forward pass takes where the network will run."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from recede.bench import onnx_latency
from recede.cli.files.verify import answer_of
from recede.cli.service.extras import INSTALL, require_worker
from recede.cli.terminal.console import FAILED, err, out
from recede.client import RecedeClient
from recede.contract.errors import InvalidInput, NotInstalled, RecedeError

MAX_BATCH = 1024

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="An ONNX file; or a ZIP, a folder, weights, model.py or a program beside a manifest.",
    ),
]
Batches = Annotated[
    list[int] | None,
    typer.Option("--batch", min=1, max=MAX_BATCH, help="Batch size; several times. 1 and 64."),
]
Threads = Annotated[
    int | None, typer.Option(min=1, max=MAX_BATCH, help="CPU threads; default: one a processor.")
]
Providers = Annotated[
    list[str] | None,
    typer.Option("--provider", help="cpu, cuda, …: what computes; several times. All there are."),
]
DeviceName = Annotated[
    str, typer.Option("--name", help="What this device is called; default: its processor's name.")
]
Trust = Annotated[
    bool,
    typer.Option("--trust", help="Run a model.py even if it is more than layers: it is code."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="URL", help="Send the rows to Recede at this address."),
]
Token = Annotated[
    str, typer.Option(help="Sent with --to as Authorization: Bearer, for a proxy in front of it.")
]


def bench(
    file: File,
    batch: Batches = None,
    threads: Threads = None,
    provider: Providers = None,
    name: DeviceName = "",
    trust: Trust = False,
    as_json: AsJson = False,
    to: To = None,
    token: Token = "",
) -> None:
    """Time files on this machine; with --to the rows appear at their checkpoint."""
    batches = list(dict.fromkeys(batch or (1, 64)))
    skipped: dict[str, str] = {}
    if file.is_file() and file.suffix == ".onnx":
        reports = [_onnx(file, batches, threads, provider or [], name)]
    else:
        reports, skipped = _with_torch(file, batches, threads, provider or [], name, trust)
    if as_json:
        out.print_json(json.dumps(reports))
    elif reports:
        out.print(_table(reports))
    for what, reason in skipped.items():
        err.print(f"{what}: {reason}", style="yellow", soft_wrap=True, markup=False)
    if not reports:
        raise typer.Exit(FAILED)
    if to is not None:
        _send(reports, to, token)


def _onnx(
    file: Path, batches: Sequence[int], threads: int | None, providers: Sequence[str], name: str
) -> dict[str, Any]:
    """Timed in this process, as the script does: needs no torch."""
    if find_spec("onnxruntime") is None:
        raise NotInstalled(
            "`recede bench` needs onnxruntime for this file, which is not installed.",
            hint=f"To install it: pip install onnxruntime, or {INSTALL}",
        )
    try:
        with err.status("Opening") as status:
            return onnx_latency.report(
                file,
                batches=batches,
                threads=threads,
                providers=providers,
                device=name,
                say=status.update,
            )
    except onnx_latency.Refused as error:
        raise InvalidInput(str(error), field="file") from error


def _with_torch(
    file: Path,
    batches: Sequence[int],
    threads: int | None,
    providers: Sequence[str],
    name: str,
    trust: bool,
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Timed by a process that has torch; the reports, and what was skipped and why."""
    require_worker("recede bench")
    command = [sys.executable, "-P", "-m", "recede_worker", "--bench", str(file.absolute())]
    command += [f"--batch={batch}" for batch in batches]
    command += [f"--provider={provider}" for provider in providers]
    command += [f"--bench-threads={threads}"] if threads else []
    command += [f"--name={name}"] * bool(name) + ["--trust"] * trust
    answer = answer_of(command)
    if "error" in answer:
        error = answer["error"]
        raise InvalidInput(error["message"], hint=error.get("hint"))
    return answer["reports"], answer["skipped"]


def _table(reports: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    columns = ("file", "by", "on", "device", "threads", "batch", "median", "95 % under", "passes")
    for column in columns:
        table.add_column(column)
    for report in reports:
        for row in report["rows"]:
            table.add_row(
                report["file"],
                f"{row['runtime']} {row['version']}",
                row["provider"],
                row["device"],
                str(row["threads"]),
                str(row["batch"]),
                f"{row['median_ms']:.3g} ms",
                f"{row['p95_ms']:.3g} ms",
                str(row["n"]),
            )
    return table


def _send(reports: Sequence[dict[str, Any]], to: str, token: str) -> None:
    """Send every report that the service takes; ends with an error if it refuses one."""
    refused: RecedeError | None = None
    with RecedeClient(to) as client:
        for report in reports:
            try:
                kept = client.add_benches(report, token=token).checkpoints
            except RecedeError as error:
                refused = error
                continue
            where = ", ".join(f"checkpoint {one.id} of run {one.run_id}" for one in kept)
            err.print(f"{report['file']}: kept with {where}", soft_wrap=True)
    if refused is not None:
        raise refused
