"""Commands on what pruning costs: the map over epochs, and a fine-tuning before and after."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from recede.cli.terminal.console import (
    DEFAULT_URL,
    RunArgument,
    Url,
    count,
    out,
    percent,
)
from recede.client import RecedeClient
from recede.contract.schemas import (
    AccuracyOut,
    Compared,
    MapOut,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print the answer of the API as JSON.")]
NAMES = {"dense": "dense, not cut", "cut": "cut, before fine-tuning", "tuned": "after fine-tuning"}


def show_map(
    run: RunArgument,
    url: Url = DEFAULT_URL,
    last: Annotated[int, typer.Option(min=1, help="Show the latest epochs only.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Accuracy of cut networks at 16 ratios, epoch by epoch, measured while a run trained."""
    with RecedeClient(url) as client:
        found = client.prunability(run)
    if as_json:
        out.print_json(found.model_dump_json())
        return
    if not found.points:
        out.print(
            "No epoch was measured: the run has none yet, or its map_budget leaves no time for it."
        )
    else:
        out.print(_table(found, found.epochs[-last:]))
        out.print(
            "Validation accuracy in %; * measured on the whole split, the others estimated "
            "(--json has n and intervals).",
            style="dim",
        )
    kept = ", ".join(map(str, found.kept_epochs)) or "none"
    out.print(f"weights are kept of epoch {kept}", style="dim", soft_wrap=True)


def _table(found: MapOut, epochs: list[int]) -> Table:
    cells = {(point.epoch, point.ask): point.accuracy for point in found.points}
    table = Table("epoch", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for ratio in found.ratios:
        table.add_column(f"{100 * ratio:.0f} %", justify="right", no_wrap=True)
    for epoch in epochs:
        row = [_cell(cells.get((epoch, ratio))) for ratio in found.ratios]
        table.add_row(str(epoch), *row)
    return table


def _cell(accuracy: AccuracyOut | None) -> str:
    if accuracy is None:
        return ""
    return f"{100 * accuracy.value:.1f}" + ("*" if accuracy.kind == "measured" else " ")


def comparison(run: RunArgument, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """A fine-tuned network beside the same cut before fine-tuning and its dense parent."""
    with RecedeClient(url) as client:
        found = client.comparison(run)
    if as_json:
        out.print_json(found.model_dump_json())
        return
    table = Table("", "validation", "test", "parameters", "MACs", box=None, pad_edge=False)
    for one in found.networks:
        table.add_row(NAMES[one.network], *_figures(one))
    out.print(table)
    cut = "" if found.ratio is None else f", cut by {percent(found.ratio)} of its neurons"
    name = f": {found.parent_name}" if found.parent_name else ""
    out.print(f"fine-tuned from run {found.parent}{name}{cut}", style="dim", soft_wrap=True)


def _figures(one: Compared) -> list[str]:
    cost = ["–", "–"]
    if one.cost is not None:
        cost = [count(one.cost.params), count(one.cost.macs)]
    return [_counted(one.validation), _counted(one.test), *cost]


def _counted(accuracy: AccuracyOut | None) -> str:
    return "–" if accuracy is None else f"{percent(accuracy.value, 2)} of {accuracy.n}"
