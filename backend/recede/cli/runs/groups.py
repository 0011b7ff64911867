"""Groups of runs on the command line: list them, follow one, its summary table."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from recede.cli.terminal.console import (
    DEFAULT_URL,
    FAILED,
    Url,
    err,
    out,
    percent,
)
from recede.cli.terminal.following import (
    CURVE_GRACE_S,
    active,
    notice_line,
)
from recede.client import RecedeClient
from recede.contract.schemas import (
    GroupOut,
    RunOut,
    Spread,
)
from recede.contract.spec import grid
from recede.contract.states import State

POLL_S = 1.0
"""Pause between two looks at a group: an epoch takes longer."""


def list_groups(
    group: Annotated[
        str | None, typer.Argument(metavar="[GROUP]", help="Id of a group, to see its runs.")
    ] = None,
    url: Url = DEFAULT_URL,
    limit: Annotated[int, typer.Option(min=1, max=50, help="How many to list.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List groups of runs, newest first, or show one with its summary."""
    with RecedeClient(url) as client:
        answer = client.group(group) if group else client.groups(limit=limit)
    if as_json:
        out.file.write(answer.model_dump_json(indent=2) + "\n")
    elif isinstance(answer, GroupOut):
        out.print(f"group {answer.id}: {answer.name}")
        out.print(_lines(answer))
        out.print(summary_table(answer))
    elif not answer.items:
        out.print("No groups. Submit one: recede submit … --grid lr=0.05,0.1 --grid seed=0,1,2")
    else:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("group", "runs", "states", "name"):
            table.add_column(
                heading, no_wrap=True, justify="right" if heading == "runs" else "left"
            )
        for one in answer.items:
            table.add_row(one.id, str(len(one.runs)), _states(one), one.name)
        out.print(table)


def finish(client: RecedeClient, group_id: str) -> None:
    """Follow a group, print its summary; ends with exit code 1 unless every run succeeded."""
    try:
        group = _follow(client, group_id)
    except KeyboardInterrupt:
        err.print(f"The runs go on; come back with `recede watch {group_id}`.")
        raise typer.Exit(FAILED) from None
    for run in group.runs:
        if run.error is not None:
            err.print(f"run {run.id} ({_label(group, run)}): {run.error.message}", style="red")
    out.print(summary_table(group))
    if any(run.state is not State.SUCCEEDED for run in group.runs):
        raise typer.Exit(FAILED)


def summary_table(group: GroupOut) -> Table:
    """A row for each combination of the axes; mean ± standard deviation over its seeds."""
    axes = [axis for axis in group.axes if axis != grid.SEED]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for axis in axes:
        table.add_column(axis.rpartition(".")[2], no_wrap=True)
    for heading in ("finished", "validation", "test", "lossless", "under 0.1"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in group.summary:
        spreads = (row.val_accuracy, row.test_accuracy, row.lossless_ratio, row.receded)
        table.add_row(
            *(str(row.values[axis]) for axis in axes),
            f"{row.finished}/{row.runs}",
            *(_spread(one) for one in spreads),
        )
    return table


def _follow(client: RecedeClient, group_id: str) -> GroupOut:
    """Show one line a run until nothing of the group is queued or running."""
    shown: set[str] = set()
    all_final_at = None
    with Live(console=err, auto_refresh=False) as live:
        while True:
            group = client.group(group_id)
            _print_news(group, shown, lines=not err.is_terminal)
            if err.is_terminal:
                live.update(Group(_lines(group)), refresh=True)
            if all(run.state.is_final for run in group.runs):
                all_final_at = all_final_at or time.monotonic()
                waited_s = time.monotonic() - all_final_at
                if not _curves_come(client, group, waited_s):
                    return group
            time.sleep(POLL_S)


def _curves_come(client: RecedeClient, group: GroupOut, waited_s: float) -> bool:
    """Whether a succeeded run's lossless ratio is still to be measured."""
    open_ = [r for r in group.runs if r.state is State.SUCCEEDED and r.lossless_ratio is None]
    if not open_:
        return False
    return waited_s < CURVE_GRACE_S or any(active(client, run.id) for run in open_)


def _print_news(group: GroupOut, shown: set[str], *, lines: bool) -> None:
    """Print what is new: notices, and where there is no terminal each epoch and state."""
    for run in group.runs:
        where = _label(group, run)
        news = [(f"{where}: {notice_line(one)}", "yellow") for one in run.notices]
        if lines:
            news.append((f"{where}: {_progress(run)}", ""))
        for text, style in news:
            if text not in shown:
                shown.add(text)
                err.print(text, style=style, soft_wrap=True)


def _lines(group: GroupOut) -> Table:
    table = Table.grid(padding=(0, 2))
    for run in group.runs:
        style = {State.FAILED: "red", State.SUCCEEDED: "green"}.get(run.state, "")
        table.add_row(run.id, _label(group, run), Text(_progress(run), style=style))
    return table


def _progress(run: RunOut) -> str:
    parts = [run.state.value]
    if run.state is State.RUNNING or run.epochs_done:
        parts.append(f"epoch {run.epochs_done}/{run.spec.epochs}")
    if run.val_accuracy is not None:
        parts.append(f"validation {percent(run.val_accuracy.value, 2)}")
    if run.polarisation is not None:
        parts.append(f"{percent(run.polarisation.below_01)} under 0.1")
    return ", ".join(parts)


def _label(group: GroupOut, run: RunOut) -> str:
    return grid.label(grid.values_of(run.spec.model_dump(mode="json"), group.axes))


def _states(group: GroupOut) -> str:
    return ", ".join(f"{number} {state.value}" for state, number in group.counts.items())


def _spread(spread: Spread | None) -> str:
    if spread is None:
        return ""
    around = "" if spread.std is None else f" ± {100 * spread.std:.2f}"
    return f"{100 * spread.mean:.2f}{around} %"
