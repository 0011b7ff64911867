"""The command on accuracy over the share of neurons removed."""

from __future__ import annotations

from typing import Annotated, Literal

import typer
from rich.table import Table

from recede.cli.cuts.explore import to_its_end
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
from recede.contract.schemas import CurveOut, CurvePoint, RecordedOut
from recede.contract.spec.run import IMPORTANCE


def curve(
    run: RunArgument,
    url: Url = DEFAULT_URL,
    epoch: Annotated[int | None, typer.Option(help="Default: best on validation.")] = None,
    criterion: Annotated[str, typer.Option(help="What ranks the neurons.")] = IMPORTANCE,
    scope: Annotated[
        Literal["global", "local"] | None, typer.Option(help="Default: that of the method.")
    ] = None,
    bias: Annotated[
        Literal["drop", "fold"],
        typer.Option(help="Constant output: discard (drop) or absorb (fold)."),
    ] = "drop",
    exact: Annotated[
        bool, typer.Option("--exact", help="Measure every point on the whole split.")
    ] = False,
    every: Annotated[int, typer.Option(min=1, help="Print a row every so many percent.")] = 5,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the answer of the API as JSON.")
    ] = False,
) -> None:
    """Validation accuracy of really cut networks at 100 ratios; measures what is not known yet."""
    with RecedeClient(url) as client:
        found = client.curve(run, epoch=epoch, criterion=criterion, scope=scope, bias=bias)
        recorded = client.run(run).recording
        if recorded is None and (found.job is not None or not _is_whole(found, exact)):
            answer = client.measure_curve(
                run, epoch=epoch, criterion=criterion, scope=scope, bias=bias, exact=exact
            )
            to_its_end(client, answer.job)
            found = client.curve(run, epoch=epoch, criterion=criterion, scope=scope, bias=bias)
    if as_json:
        out.print_json(found.model_dump_json())
        return
    if recorded is not None and not found.points:
        _print_values(found, recorded)
        return
    out.print(_table(found, every))
    err.print(
        "± is half of the 95 % interval for the whole validation split; "
        "the last column is for new images (--json has all points).",
        style="dim",
        soft_wrap=True,
    )
    lossless = found.lossless_ratio
    known = "not known" if lossless is None else percent(lossless)
    out.print(f"lossless ratio of epoch {found.epoch}: {known}", style="bold")


def _print_values(found: CurveOut, recorded: RecordedOut) -> None:
    """Cuts that were measured where the network trains, by its own metric."""
    if recorded.metric is None or not found.values:
        err.print("No cut was measured where it trains: see recede.watch(…, evaluate=…).")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("asked", "removed", "MACs", recorded.metric.name):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found.values:
        value = f"{one.value:.5g} {recorded.metric.unit}".rstrip()
        table.add_row(percent(one.ask), percent(one.ratio), count(one.cost.macs), value)
    out.print(table)
    err.print(f"measured where it trains, at epoch {found.epoch}; no interval is known")


def _is_whole(found: CurveOut, exact: bool) -> bool:
    """Whether there is nothing to measure; the map's few points of an epoch are no curve."""
    estimated = any(point.accuracy.kind == "estimated" for point in found.points)
    return found.lossless_ratio is not None and not (exact and estimated)


def _table(found: CurveOut, every: int) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("asked", "removed", "MACs", "accuracy", "±", "kind", "images", "new images"):
        table.add_column(name, justify="left" if name == "kind" else "right", no_wrap=True)
    for point in found.points:
        is_lossless = point.ratio == found.lossless_ratio
        if is_lossless or round(100 * point.ask) % every == 0:
            table.add_row(*_row(point), style="bold" if is_lossless else None)
    return table


def _row(point: CurvePoint) -> list[str]:
    known = point.accuracy
    half = ((known.split_high or 0.0) - (known.split_low or 0.0)) / 2
    return [
        percent(point.ask),
        percent(point.ratio),
        count(point.cost.macs),
        percent(known.value, 2),
        "exact" if known.kind == "measured" else f"{100 * half:.2f}",
        known.kind,
        str(known.n),
        f"{percent(known.low, 1)} to {percent(known.high, 1)}",
    ]
