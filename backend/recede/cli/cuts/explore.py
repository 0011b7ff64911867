"""Commands that explore cuts before anything is written: preview, evaluate, score, protect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from recede.cli.cuts.plan_options import Asked, taking_plan
from recede.cli.terminal import following
from recede.cli.terminal.console import (
    DEFAULT_URL,
    FAILED,
    RunArgument,
    Url,
    count,
    err,
    out,
    percent,
    size,
    tell_failure,
)
from recede.client import ApiError, RecedeClient
from recede.contract.cut.targets import Target
from recede.contract.errors import InvalidInput, RecedeError
from recede.contract.schemas import (
    AccuracyOut,
    JobOut,
    PlanOut,
    PreviewOut,
    SolveOut,
)
from recede.contract.spec.run import Plan
from recede.contract.states import State

T = TypeVar("T")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@taking_plan
def preview(
    run: RunArgument, asked: Asked, url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Show what a cut keeps and costs (exact), and its accuracy where it is known."""
    with RecedeClient(url) as client:
        plan = settled(client, run, asked)
        shown = scored(client, run, plan, lambda: client.preview(run, plan))
    if as_json:
        out.file.write(shown.model_dump_json(indent=2) + "\n")
        return
    _show(plan, shown)


@taking_plan
def evaluate(
    run: RunArgument, asked: Asked, url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Measure the accuracy of a really cut network on the whole validation split."""
    with RecedeClient(url) as client:
        plan = settled(client, run, asked)
        answer = scored(client, run, plan, lambda: client.evaluate(run, plan))
        if answer.job is not None:
            to_its_end(client, answer.job)
            answer = client.evaluate(run, plan)
    found = answer.evaluation
    if found is None:
        raise RecedeError("The measurement was dropped.", hint="Ask again.")
    if as_json:
        out.file.write(found.model_dump_json(indent=2) + "\n")
        return
    out.print(
        f"{percent(found.ratio)} of the neurons of epoch {found.epoch} removed: "
        f"{_accuracy(found.accuracy)}; {count(found.cost.params)} parameters, "
        f"{count(found.cost.macs)} MACs",
        soft_wrap=True,
    )


def score(
    run: RunArgument,
    criterion: Annotated[str, typer.Argument(metavar="CRITERION", help="Name of the criterion.")],
    url: Url = DEFAULT_URL,
    epoch: Annotated[int | None, typer.Option(help="Default: best on validation.")] = None,
) -> None:
    """Score the neurons of an epoch by another criterion than the method's importance."""
    with RecedeClient(url) as client:
        answer = client.compute_scores(run, criterion, epoch=epoch)
        if answer.job is not None:
            to_its_end(client, answer.job)
    out.print(f"epoch {answer.epoch} is scored by {criterion}")
    out.print(f"look: recede preview {run} --criterion {criterion} --ratio 0.5", style="dim")


def protect(
    run: RunArgument,
    layers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LAYER]…", help="Names of layers; without any, the protected ones are listed."
        ),
    ] = None,
    url: Url = DEFAULT_URL,
    none: Annotated[bool, typer.Option("--none", help="Unprotect all layers.")] = False,
) -> None:
    """Protect layers of a run: no plan may cut them."""
    if layers and none:
        raise InvalidInput("Layers and --none contradict each other.", field="none")
    with RecedeClient(url) as client:
        changed = none or layers
        changed_run = client.protect_layers(run, layers or []) if changed else client.run(run)
    out.print(f"protected: {', '.join(changed_run.protected) or 'none'}", soft_wrap=True)


def settled(client: RecedeClient, run: str, asked: Asked) -> Plan:
    """The plan that is asked for, its ratio found where a target is given.

    Raises:
        InvalidInput: no cut of this kind meets the target; it says what can be had. The run
            keeps no plan of the given name.
    """
    if asked.named is not None:
        return named(client.plans(run).items, asked.named).plan
    if asked.latency_ms is not None:
        return _fast_enough(client, run, asked)
    if asked.target is None:
        assert isinstance(asked.plan, Plan)
        return asked.plan
    target = asked.target
    found = scored(client, run, asked.plan, lambda: client.solve(run, target, asked.plan))
    if not found.reached:
        raise InvalidInput(
            f"No cut of this kind meets {asked.words}: {_bound(target, found)} can be had, at a "
            f"ratio of {found.plan.ratio:g}.",
            field="target",
            hint="Ask for that, or loosen locks, overrides, minimum or rounding.",
        )
    if found.basis == "other_curve":
        err.print(
            "The accuracy is that of cuts without these locks, overrides or roundings, at the "
            "same share removed: `recede evaluate` measures this one.",
            style="yellow",
            soft_wrap=True,
        )
    return found.plan


def named(kept: list[PlanOut], given: str) -> PlanOut:
    """The plan of this name, else of this id.

    Raises:
        InvalidInput: there is none; it says which there are.
    """
    for plan in kept:
        if plan.name == given:
            return plan
    for plan in kept:
        if str(plan.id) == given:
            return plan
    names = ", ".join(plan.name for plan in kept) or "none"
    raise InvalidInput(f"The run has no plan {given!r}; it has: {names}.", field="plan")


def _fast_enough(client: RecedeClient, run: str, asked: Asked) -> Plan:
    """The plan that a worker measured to be as fast as was asked for."""
    assert asked.latency_ms is not None
    if asked.device is not None:
        return _timed_elsewhere(client, run, asked.device, asked.latency_ms)
    answer = client.fast_enough(run, asked.latency_ms, asked.plan)
    result = to_its_end(client, answer.job).result or {}
    plan = Plan.model_validate(result["plan"])
    if not result.get("reached", True):
        raise InvalidInput(
            f"No cut of this kind meets {asked.words} on {result['device']}: the fastest that was "
            f"measured takes {result['median_ms']:.3g} ms, at a ratio of {result['ratio']:.3g}.",
            field="latency",
            hint="Ask for more time, or loosen locks, overrides and minimum.",
        )
    return plan


def _timed_elsewhere(client: RecedeClient, run: str, device: str, target_ms: float) -> Plan:
    """The plan of the largest network that was fast enough on a device that reported."""
    found = client.solve_benched(run, device, target_ms)
    timing = found.timing
    if not found.reached:
        raise InvalidInput(
            f"None of the {found.compared} networks timed on {device} takes {target_ms:g} ms or "
            f"less: the fastest takes {timing.median_ms:.3g} ms, at a ratio of {found.ratio:.3g}.",
            field="latency",
            hint="Prune more, and time the files there: `recede bench FILE --to URL`.",
        )
    err.print(
        f"{percent(found.ratio)} removed takes {timing.median_ms:.3g} ms there "
        f"({timing.format}, {timing.runtime}, {timing.provider}, threads {timing.threads}); "
        f"of {found.compared} networks that were timed, none that removes less is fast enough.",
        soft_wrap=True,
    )
    return found.plan


def scored(client: RecedeClient, run: str, plan: Plan, ask: Callable[[], T]) -> T:
    """What is asked; where the plan's criterion has not scored the epoch yet, it does first."""
    try:
        return ask()
    except ApiError as error:
        if error.code != "score_missing":
            raise
    answer = client.compute_scores(run, plan.criterion, epoch=plan.epoch)
    if answer.job is not None:
        to_its_end(client, answer.job)
    return ask()


def to_its_end(client: RecedeClient, queued: JobOut, later: str = "") -> JobOut:
    """Follow a job; ends the command if it does not succeed. `later` is said if it is left."""
    try:
        job = following.follow_job(client, queued)
    except KeyboardInterrupt:
        err.print(f"The job {queued.id} continues{later}.", soft_wrap=True)
        raise typer.Exit(FAILED) from None
    if job.state is State.SUCCEEDED:
        return job
    tell_failure(job.error)
    err.print(f"The job is {job.state.value}.")
    raise typer.Exit(FAILED)


def _bound(target: Target, found: SolveOut) -> str:
    if target.kind == "bytes":
        return f"a file of {size(int(found.bound))} at least"
    if target.kind == "accuracy":
        return f"{percent(found.bound, 2)} at most"
    if target.kind == "drop":
        return f"a drop of {100 * found.bound:.2f} points at least"
    return (
        f"{count(int(found.bound))} {'MACs' if target.kind == 'macs' else 'parameters'} at least"
    )


def _accuracy(found: AccuracyOut) -> str:
    if not found.n:
        return f"{found.value:.5g} ({found.kind} by the run's own metric, which has no interval)"
    spread = f"{percent(found.low, 2)} to {percent(found.high, 2)}"
    return f"{percent(found.value, 2)} ({found.kind} on {found.n} images; {spread})"


def _show(plan: Plan, shown: PreviewOut) -> None:
    how = f"ratio {plan.ratio:g}" if plan.ratio is not None else f"threshold {plan.threshold:g}"
    out.print(f"{how}: {percent(shown.ratio)} of the neurons of epoch {shown.epoch} go")
    table = Table(box=None, pad_edge=False, show_header=False)
    rows = [
        ("parameters", count(shown.cost.params), count(shown.dense.params)),
        ("MACs", count(shown.cost.macs), count(shown.dense.macs)),
    ]
    if shown.file_bytes is not None and shown.dense_file_bytes is not None:
        rows.append(("file", size(shown.file_bytes), size(shown.dense_file_bytes)))
    for name, cut, dense in rows:
        table.add_row(name, f"{cut} of {dense}")
    known = shown.accuracy
    table.add_row("accuracy", "not measured" if known is None else _accuracy(known))
    out.print(table)
    for name, kept in shown.kept.items():
        notes = [
            word
            for word, layers in (
                ("held at its minimum", shown.held_at_minimum),
                ("rounded up", shown.rounded_up),
                ("locked", plan.locks),
            )
            if name in layers
        ]
        out.print(f"  {name}: {kept} kept{', ' + ', '.join(notes) if notes else ''}", style="dim")
