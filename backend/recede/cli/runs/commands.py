"""Commands on runs: list, watch, cancel, resume."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from recede.cli.runs import groups
from recede.cli.runs.polarisation import summary_line
from recede.cli.terminal import following
from recede.cli.terminal.console import (
    DEFAULT_URL,
    FAILED,
    RunArgument,
    Url,
    count,
    duration,
    err,
    out,
    percent,
    size,
    tell_failure,
)
from recede.client import ApiError, RecedeClient
from recede.contract.schemas import (
    AccuracyOut,
    CurveOut,
    RecordedOut,
    RunOut,
)
from recede.contract.states import State

RunOrGroup = Annotated[str, typer.Argument(metavar="RUN", help="Id of the run or group.")]
NOT_FOUND = 404


def list_runs(
    url: Url = DEFAULT_URL,
    state: Annotated[State | None, typer.Option(help="Only runs in this state.")] = None,
    search: Annotated[str | None, typer.Option(help="Part of the name.")] = None,
    group: Annotated[str | None, typer.Option(help="Only runs of this group.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many to list.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List runs, newest first."""
    with RecedeClient(url) as client:
        page = client.runs(state=state, search=search, group=group, limit=limit)
    if as_json:
        out.file.write(page.model_dump_json(indent=2) + "\n")
        return
    if not page.items:
        out.print("No runs. Start the demo with `recede submit --demo --watch`.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("run", "state", "name", "epochs", "dense", "lossless", "disk"):
        numeric = heading in ("epochs", "dense", "lossless", "disk")
        table.add_column(heading, justify="right" if numeric else "left", no_wrap=True)
    for run in page.items:
        table.add_row(*_row(run))
    out.print(table)
    for run in page.items:
        for notice in run.notices:
            out.print(f"{run.id}: {following.notice_line(notice)}", style="yellow", soft_wrap=True)
    if page.next:
        out.print(f"More than {limit}: see --limit, --state and --search.", style="dim")


def watch(run: RunOrGroup, url: Url = DEFAULT_URL) -> None:
    """Follow a run, or a group of them, to its end, then say what can be cut."""
    with RecedeClient(url) as client:
        if _is_group(client, run):
            groups.finish(client, run)
        else:
            finish(client, run)


def cancel(run: RunOrGroup, url: Url = DEFAULT_URL) -> None:
    """Cancel what is queued or running for a run, or for all runs of a group."""
    with RecedeClient(url) as client:
        if _is_group(client, run):
            left = [one for one in client.cancel_group(run).runs if not one.state.is_final]
            still = f"stopping; {len(left)} of its runs still work" if left else "cancelled"
            out.print(f"{run} is {still}.")
            return
        answer = client.cancel_run(run)
    stopping = not answer.state.is_final
    out.print(f"{run} is {'stopping' if stopping else answer.state.value}.")


def resume(
    run: RunArgument,
    url: Url = DEFAULT_URL,
    watch_: Annotated[bool, typer.Option("--watch", help="Show progress until it ends.")] = False,
) -> None:
    """Resume a failed or cancelled run from its last finished epoch."""
    with RecedeClient(url) as client:
        job = client.resume_run(run).job
        out.print(f"{run} is queued again as job {job.id}.")
        if watch_:
            finish(client, run)


def _is_group(client: RecedeClient, id_: str) -> bool:
    """Whether this is the id of a group; one of neither is left to be refused as a run."""
    try:
        client.group(id_)
    except ApiError as error:
        if error.status != NOT_FOUND:
            raise
        return False
    return True


def finish(client: RecedeClient, run_id: str) -> None:
    """Follow a run, print its outcome; ends with exit code 1 unless it succeeded."""
    try:
        run = following.follow_run(client, run_id)
    except KeyboardInterrupt:
        err.print(f"The run continues; come back with `recede watch {run_id}`.")
        raise typer.Exit(FAILED) from None
    for notice in run.notices:  # once more: what was said on the way has scrolled by
        err.print(following.notice_line(notice), style="yellow", soft_wrap=True)
    if run.state is State.SUCCEEDED:
        _print_outcome(run, client.curve(run_id))
        return
    tell_failure(run.error)
    if run.recording is None:
        err.print(f"The run is {run.state.value}; `recede resume {run_id}` resumes it.")
    raise typer.Exit(FAILED)


def _print_outcome(run: RunOut, curve: CurveOut) -> None:
    if run.test_accuracy is not None:
        out.print(f"dense network: {_accuracy(run.test_accuracy)} (epoch {run.best_epoch})")
    if run.polarisation is not None:
        out.print(f"polarisation: {summary_line(run.polarisation)}", soft_wrap=True)
    if run.recording is not None:
        _print_recorded(run, run.recording)
        return
    lossless = run.lossless_ratio
    if lossless is None:
        out.print("lossless ratio: not measured; see `recede doctor` and the curve job's log.")
        return
    point = min(curve.points, key=lambda p: abs(p.ratio - lossless), default=None)
    if point is not None and curve.dense is not None:
        dense = curve.dense
        out.print(
            f"a cut of {percent(point.ratio)} leaves {count(point.cost.params)} of "
            f"{count(dense.params)} parameters ({percent(point.cost.params / dense.params)}), "
            f"{count(point.cost.macs)} of {count(dense.macs)} MACs "
            f"({percent(point.cost.macs / dense.macs)}); {_accuracy(point.accuracy)}",
            soft_wrap=True,
        )
        out.print(f"prune it: recede prune {run.id} --ratio {point.ask} --out .")
    out.print(f"lossless ratio: {percent(lossless)}", style="bold")


def _print_recorded(run: RunOut, recording: RecordedOut) -> None:
    """The best epoch by the metric of a training that ran elsewhere."""
    if recording.metric is not None and recording.best_value is not None:
        value = f"{recording.best_value:.5g} {recording.metric.unit}".rstrip()
        out.print(f"best {recording.metric.name}: {value} (epoch {run.best_epoch})")


def _accuracy(accuracy: AccuracyOut) -> str:
    low, high = percent(accuracy.low), percent(accuracy.high)
    return (
        f"{percent(accuracy.value, 2)} on {accuracy.n} {accuracy.split} images "
        f"(95 %: {low} to {high})"
    )


def _row(run: RunOut) -> list[str]:
    dense = run.test_accuracy or run.val_accuracy
    return [
        run.id,
        _state(run),
        run.name,
        f"{run.epochs_done}/{run.spec.epochs}" if run.spec.trains else "–",
        percent(dense.value, 2) if dense else "",
        "" if run.lossless_ratio is None else percent(run.lossless_ratio),
        size(run.disk_bytes),
    ]


def _state(run: RunOut) -> str:
    if run.stalled_s is not None:
        return f"stalled {duration(run.stalled_s)}"
    if run.cancel_requested_at is not None and not run.state.is_final:
        return "cancelling"
    if run.queue_position is not None:
        return f"queued ({run.queue_position} before it)"
    return run.state.value
