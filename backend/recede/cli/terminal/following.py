"""Following work to its end over server-sent events, with a progress bar."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from recede.cli.terminal.console import (
    duration,
    err,
    percent,
)
from recede.client import Event, RecedeClient
from recede.contract.schemas import (
    JobOut,
    Notice,
    RunOut,
)
from recede.contract.states import JobKind, State

CURVE_GRACE_S = 5.0
"""A finished training queues its curve in the same moment; longer than this it will not come."""


class Bars:
    """One progress bar a job; on a terminal that is none, one line an epoch."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[int, TaskID] = {}

    def show(self, event: Event) -> None:
        """Draw what an event says."""
        job_id, data = event.data.get("job_id"), event.data
        if event.type == "progress" and job_id is not None:
            self._advance(job_id, data)
        elif event.type == "epoch" and not self._progress.console.is_terminal:
            err.print(_epoch_line(data), soft_wrap=True)
        elif event.type == "notice" and data.get("message"):
            err.print(notice_line(Notice.model_validate(data)), style="yellow", soft_wrap=True)
        elif event.type == "job" and job_id is not None:
            self._mark(job_id, data)

    def _advance(self, job_id: int, data: dict[str, Any]) -> None:
        eta = data.get("eta_s")
        self._progress.update(
            self._task(job_id),
            description=str(data.get("stage", "")),
            completed=data.get("done", 0),
            total=data.get("total") or None,
            says=_says(data),
            eta="" if eta is None else f"{duration(eta)} left",
        )

    def _mark(self, job_id: int, data: dict[str, Any]) -> None:
        state = data.get("state")
        task = self._task(job_id)
        if state == State.SUCCEEDED.value:
            total = self._progress.tasks[task].total or 1
            self._progress.update(
                task, description=f"{data.get('kind')} done", completed=total, total=total, eta=""
            )
        else:
            self._progress.update(task, description=f"{data.get('kind')} {state}", eta="")

    def _task(self, job_id: int) -> TaskID:
        if job_id not in self._tasks:
            self._tasks[job_id] = self._progress.add_task("", total=None, says="", eta="")
        return self._tasks[job_id]


@contextmanager
def bars() -> Iterator[Bars]:
    """Progress bars on stderr, so that stdout holds only results."""
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(bar_width=32),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[says]}"),
        TextColumn("[dim]{task.fields[eta]}"),
    )
    with Progress(*columns, console=err) as progress:
        yield Bars(progress)


def follow_run(client: RecedeClient, run_id: str) -> RunOut:
    """Show a run's work until nothing of it is queued or running."""
    run = client.run(run_id)
    if not run.state.is_final or active(client, run_id):
        _follow(client, run_id, lambda event: _run_ended(client, event))
    return client.run(run_id)


def follow_job(client: RecedeClient, job: JobOut) -> JobOut:
    """Show one job until its end."""
    if not client.job(job.id).state.is_final:
        _follow(client, job.run_id, lambda event: _is_end_of(event, job.id), job_id=job.id)
    return client.job(job.id)


def _follow(
    client: RecedeClient, run_id: str, ended: Callable[[Event], bool], job_id: int | None = None
) -> None:
    with bars() as shown:
        for event in client.events(run_id=run_id, last_event_id=0):
            if job_id is None or event.data.get("job_id") == job_id:
                shown.show(event)
            if ended(event):
                return


def _is_end_of(event: Event, job_id: int) -> bool:
    mine = event.type == "job" and event.data.get("job_id") == job_id
    return mine and State(event.data["state"]).is_final


def _run_ended(client: RecedeClient, event: Event) -> bool:
    state = event.data.get("state")
    if event.type not in ("job", "run") or state is None or not State(state).is_final:
        return False
    if event.type == "run":  # one with a job ends with it
        return client.run(str(event.data["run_id"])).recording is not None
    run = client.run(str(event.data["run_id"]))
    if not run.state.is_final or active(client, run.id):
        return False
    if run.state is State.SUCCEEDED and run.lossless_ratio is None:
        return not _curve_comes(client, run.id)
    return True


def _curve_comes(client: RecedeClient, run_id: str) -> bool:
    """Whether a curve job is active, looked for during a short grace."""
    deadline = time.monotonic() + CURVE_GRACE_S
    while time.monotonic() < deadline:
        if client.jobs(run_id=run_id, kind=JobKind.CURVE).items:
            return bool(active(client, run_id))
        time.sleep(0.2)
    return False


def active(client: RecedeClient, run_id: str) -> list[JobOut]:
    """Jobs of a run that are queued or running."""
    return [job for job in client.jobs(run_id=run_id).items if not job.state.is_final]


def _says(data: dict[str, Any]) -> str:
    if data.get("stage") != "training":
        return str(data.get("message") or "")
    parts = [f"epoch {data.get('epoch')}/{data.get('epochs')}"]
    if data.get("loss") is not None:
        parts.append(f"loss {data['loss']:.3f}")
    if data.get("accuracy") is not None:
        parts.append(percent(data["accuracy"]))
    if data.get("images_per_s"):
        parts.append(f"{data['images_per_s']:,.0f} images/s")
    return "  ".join(parts)


def _epoch_line(data: dict[str, Any]) -> str:
    if data.get("metrics") is not None:
        values = (f"{name} {value:.5g}" for name, value in data["metrics"].items())
        return ", ".join([f"epoch {data['epoch']}", *values])
    accuracy = data["val_correct"] / data["n_val"]
    line = (
        f"epoch {data['epoch']}: validation {percent(accuracy, 2)} of {data['n_val']} images, "
        f"loss {data['val_loss']:.3f}"
    )
    parted = data.get("polarisation")
    return (
        f"{line}, {percent(parted['below_01'])} of the importances under 0.1" if parted else line
    )


def notice_line(notice: Notice) -> str:
    """A notice in one line: the epoch, what is wrong, how to fix it."""
    at = "" if notice.epoch is None else f"epoch {notice.epoch}: "
    return f"{at}{notice.message}" + (f" {notice.hint}" if notice.hint else "")
