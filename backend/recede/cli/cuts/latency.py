"""The command that measures how long a cut takes on the worker's device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from recede.cli.cuts.explore import (
    AsJson,
    scored,
    settled,
    to_its_end,
)
from recede.cli.cuts.plan_options import Asked, taking_plan
from recede.cli.terminal.console import (
    DEFAULT_URL,
    RunArgument,
    Url,
    out,
    percent,
)
from recede.client import RecedeClient
from recede.contract.schemas import LatenciesOut, LatencyOut


@taking_plan
def latency(
    run: RunArgument,
    asked: Asked,
    url: Url = DEFAULT_URL,
    again: Annotated[bool, typer.Option("--again", help="Measure again what is known.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure the time of a forward pass, dense and cut, at batch 1 and 64."""
    with RecedeClient(url) as client:
        plan = settled(client, run, asked)
        answer = scored(client, run, plan, lambda: client.measure_latency(run, plan, again=again))
        if answer.job is not None:
            to_its_end(client, answer.job)
            answer = client.measure_latency(run, plan)
    if as_json:
        out.file.write(LatenciesOut(items=answer.items).model_dump_json(indent=2) + "\n")
        return
    out.print(_table(answer.items))
    if any(item.busy for item in answer.items):
        out.print("busy: other jobs ran on the device meanwhile; use --again to measure once more")


def _table(items: Sequence[LatencyOut]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("device", "threads", "batch", "removed", "median", "95 % under", "passes", ""):
        table.add_column(name)
    for item in sorted(
        items, key=lambda item: (item.device, item.threads, item.batch, item.ratio)
    ):
        table.add_row(
            item.device,
            str(item.threads),
            str(item.batch),
            "nothing" if item.dense else percent(item.ratio),
            f"{item.median_ms:.3g} ms",
            f"{item.p95_ms:.3g} ms",
            str(item.n),
            "busy" if item.busy else "",
        )
    return table
