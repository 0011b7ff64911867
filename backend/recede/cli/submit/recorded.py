"""`recede import FOLDER`: a training that runs in somebody's own script, shown as a run."""

from __future__ import annotations

import time
from pathlib import Path

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from recede.cli.terminal.console import FAILED, err, out
from recede.client import ApiError, RecedeClient
from recede.contract.states import State
from recede.sdk.recording.lines import Logged
from recede.sdk.recording.reading import Recording
from recede.sdk.sending.delivery import Delivery, Sent

LOOK_EVERY_S = 2.0
"""How often a recording is looked at: the service takes one that is silent for 10 s as stalled."""


def import_recording(client: RecedeClient, folder: Path, *, follow: bool) -> None:
    """Send what a folder holds; with `follow` also what is added to it, until it ends.

    Ends with exit code 1 if the training failed.

    Raises:
        UnusableRecording: the folder cannot be read.
        ApiError: the service refuses it.
    """
    recording = Recording(folder)
    delivery = Delivery(client, recording)
    run_id = delivery.begin().run_id
    out.print(f"run {run_id}: {recording.begun.name}")
    try:
        sent = _send(delivery, recording, follow=follow)
    except KeyboardInterrupt:
        err.print("The training goes on; the same command shows what it has recorded since.")
        raise typer.Exit(FAILED) from None
    _print_end(sent, recording, follow=follow)


def _send(delivery: Delivery, recording: Recording, *, follow: bool) -> Sent:
    columns = (TextColumn("epochs"), BarColumn(bar_width=32), MofNCompleteColumn())
    with Progress(*columns, console=err) as progress:
        task = progress.add_task("", total=recording.begun.epochs)

        def show(line: Logged) -> None:
            progress.update(task, completed=line.epoch)
            if not err.is_terminal:
                err.print(_epoch_line(line), soft_wrap=True)

        silent = False
        while True:
            try:
                sent = delivery.send(show)
                silent = False
            except ApiError as error:
                if not follow or error.status != 0:
                    raise
                if not silent:
                    err.print("The service does not answer; trying again.", style="yellow")
                silent = True
            else:
                progress.update(task, completed=max(recording.epochs, default=0))
                if not follow or sent.state.is_final:
                    return sent
            time.sleep(LOOK_EVERY_S)


def _epoch_line(line: Logged) -> str:
    metrics = ", ".join(f"{name} {value:.5g}" for name, value in line.metrics.items())
    return f"epoch {line.epoch}: {metrics or 'no metrics'}"


def _print_end(sent: Sent, recording: Recording, *, follow: bool) -> None:
    if sent.state is State.FAILED:
        err.print(f"{sent.error} What it recorded is shown.", style="red", soft_wrap=True)
        raise typer.Exit(FAILED)
    if sent.state is State.RUNNING and not follow:
        out.print("It still trains: --follow keeps the run up to date.", style="dim")
    elif sent.state is State.SUCCEEDED:
        out.print(f"finished after epoch {max(recording.epochs, default=0)}", style="dim")
