"""`recede files`: what a run has to download, and what was measured of each set of files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.table import Table

from recede.cli.cuts.explore import AsJson
from recede.cli.terminal.console import (
    DEFAULT_URL,
    RunArgument,
    Url,
    out,
    percent,
    size,
)
from recede.client import BenchOut, CheckpointOut, RecedeClient
from recede.contract.schemas import Page

NETWORKS = {"dense": "dense", "cut": "cut", "int8": "cut + INT8"}

Everything = Annotated[
    bool, typer.Option("--all", help="The weights of each kept epoch too, not cut networks alone.")
]


def files(
    run: RunArgument,
    url: Url = DEFAULT_URL,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """List the cut networks of a run: their files, and what was measured of them."""
    with RecedeClient(url) as client:
        found = client.checkpoints(run)
    shown = [one for one in found.items if everything or one.kind != "trained"]
    if as_json:
        out.file.write(Page[CheckpointOut](items=shown).model_dump_json(indent=2) + "\n")
        return
    if not shown:
        out.print(f"no cut networks yet: recede prune {run} --ratio 0.5", style="dim")
    for checkpoint in shown:
        _show(checkpoint)


def _show(checkpoint: CheckpointOut) -> None:
    manifest = checkpoint.manifest
    ratio = manifest.get("ratio")
    cut = f", {percent(ratio)} of the neurons removed" if ratio else ""
    out.print(f"{checkpoint.id}: {checkpoint.kind}, epoch {checkpoint.epoch}{cut}")
    test = (manifest.get("accuracy") or {}).get("test")
    if test and test.get("n"):
        accuracy = percent(test["correct"] / test["n"], 2)
        out.print(f"  test accuracy {accuracy} of {test['n']} images")
    named = ", ".join(
        f"{name} {size(file.size_bytes)}" for name, file in sorted(checkpoint.files.items())
    )
    out.print(f"  {named}", soft_wrap=True, style="dim")
    show_int8(manifest)
    if checkpoint.benches:
        out.print(_timings(checkpoint.benches))


def _timings(benches: Sequence[BenchOut]) -> Table:
    """What devices elsewhere timed."""
    table = Table(box=None, pad_edge=False)
    for name in ("device", "threads", "file", "by", "batch", "median", "95 % under"):
        table.add_column(name)
    for one in benches:
        table.add_row(
            one.device,
            str(one.threads),
            one.format,
            f"{one.runtime} {one.version}, {one.provider}",
            str(one.batch),
            f"{one.median_ms:.3g} ms",
            f"{one.p95_ms:.3g} ms",
        )
    return table


def show_int8(manifest: Mapping[str, Any]) -> None:
    """Dense, cut and INT8 network beside each other, and where a loss comes from."""
    int8 = manifest.get("int8") or {}
    rows = int8.get("table") or []
    if not rows:
        return
    timed = rows[0]["latency"]
    table = Table(box=None, pad_edge=False)
    columns = ("onnxruntime", "test accuracy", "95 % interval", "file")
    for name in (*columns, *(f"batch {one['batch']}" for one in timed)):
        table.add_column(name)
    for row in rows:
        table.add_row(
            NETWORKS.get(row["network"], row["network"]),
            percent(row["correct"] / row["n"], 2),
            f"{percent(row['low'], 2)} to {percent(row['high'], 2)}",
            size(row["size_bytes"]),
            *(f"{one['median_ms']:.3g} ms, 95 % {one['p95_ms']:.3g}" for one in row["latency"]),
        )
    out.print(table)
    busy = any(one.get("busy") for row in rows for one in row["latency"])
    out.print(
        f"  {rows[0]['n']} test images; on {timed[0]['device']}, threads {timed[0]['threads']}"
        + (", busy with other jobs" if busy else ""),
        style="dim",
        soft_wrap=True,
    )
    if int8.get("finding"):
        out.print(str(int8["finding"]), style="yellow", soft_wrap=True, markup=False)
