"""`recede submit`: a training, or a grid of them, checked by the service before it is queued."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.table import Table

from recede.api.rules.grids import expand
from recede.cli.runs import groups
from recede.cli.runs.commands import finish
from recede.cli.submit import options, start
from recede.cli.submit import spec as spec_options
from recede.cli.submit.offered import offered
from recede.cli.submit.spec import Parameters, Spec
from recede.cli.terminal.console import (
    DEFAULT_URL,
    Url,
    err,
    out,
)
from recede.cli.terminal.options import parameters_of, taking
from recede.client import RecedeClient
from recede.contract.schemas import SpecCheck
from recede.contract.spec.grid import Axes
from recede.contract.spec.run import RunSpec
from recede.contract.validation import in_words

LOOK_S, SUBMIT_LOOK_S = 120.0, 10.0
"""How long to wait for a network that a worker has not looked at yet: trying, and queueing."""
ASK_EVERY_S = 0.5


@taking("kinds", options.kinds(), options.chosen)
@taking("pixels", options.pixels(), options.normalized)
@taking("training", options.recipe("recipe"), options.chosen)
@taking("parameters", options.parameters(), spec_options.assignments)
@taking("source", parameters_of(start.source), start.source)
@taking("machine", options.recipe("machine", "kept"), options.chosen)
def submit(
    ctx: typer.Context,
    kinds: Spec,
    pixels: Spec,
    training: Spec,
    parameters: Parameters,
    source: start.Source,
    machine: Spec,
    url: Url = DEFAULT_URL,
    demo: Annotated[
        bool, options.option("The run that shows the point.", options.WHAT, "--demo")
    ] = False,
    name: Annotated[
        str | None, options.option("Name of the run, or of the group.", options.WHAT)
    ] = None,
    grid: Annotated[
        list[str] | None,
        options.option(
            "One run for each value, and each combination: --grid lr=0.05,0.1 --grid seed=0,1,2",
            options.GRID,
            metavar="KEY=VALUE,VALUE",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check it, say what would be queued, queue nothing.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show progress until it ends.")] = False,
) -> None:
    """Queue a training; with --watch follow it and end with the lossless ratio.

    With --grid queue one for each combination of values, as a group.

    Every parameter of the chosen method, network and data set is an option of its own as well:
    --KEY VALUE.
    """
    given = {**kinds, **options.chosen(name=name), **pixels, **training, **machine}
    own, known = options.named(ctx.args), [str(one.name) for one in ctx.command.params]
    with RecedeClient(url) as client:
        catalog = offered(client)
        spec = start.base(client, catalog, source, demo=demo)
        spec = spec_options.merged(spec, {**given, **source.fields})
        spec_options.require(catalog, spec, "Or take --demo, which chooses all.")
        spec_options.scope(catalog, spec)
        for key, value in own:
            spec_options.put(catalog, spec, key, value, options=known)
        for key, value in parameters:
            spec_options.put(catalog, spec, key, value)
        axes = spec_options.axes(catalog, spec, grid or [])
        go(client, spec, axes, dry_run=dry_run, watch=watch)


def go(client: RecedeClient, spec: Spec, axes: Axes, *, dry_run: bool, watch: bool) -> None:
    """Queue the spec, or one for each combination of the axes, and say how to follow it."""
    if axes and dry_run:
        _show_grid(client, spec, axes)
    elif axes:
        made = client.create_group(spec, axes, name=spec.get("name", "")).group
        out.print(f"group {made.id}: {made.name}: {len(made.runs)} runs")
        groups.finish(client, made.id) if watch else _print_how_to_follow(made.id)
    elif dry_run:
        _show(checked_with_reach(client, spec, LOOK_S))
    else:
        checked = checked_with_reach(client, spec, SUBMIT_LOOK_S)
        reasons = checked.reasons
        run = client.create_run(spec).run
        for field, reason in reasons.items():
            out.print(f"{field}: {reason}", style="dim", soft_wrap=True)
        _print_needs(checked)
        out.print(f"run {run.id}: {run.name}")
        finish(client, run.id) if watch else _print_how_to_follow(run.id)


def checked_with_reach(client: RecedeClient, spec: RunSpec | Spec, wait_s: float) -> SpecCheck:
    """The service's check, once a worker knows how much of the network can go or time is up."""
    checked = client.check_run(spec)
    until = time.monotonic() + wait_s
    if checked.reach is not None and checked.reach.pending and wait_s:
        err.print("A worker looks at how much of the network can go …", style="dim")
    while checked.reach is not None and checked.reach.pending and time.monotonic() < until:
        time.sleep(ASK_EVERY_S)
        checked = client.check_run(spec)
    return checked


def _print_needs(checked: SpecCheck) -> None:
    """What can go, time and memory that it needs, a warning where the disk may not hold it."""
    if checked.reach is not None:
        out.print(f"can be cut: {checked.reach.words}", style="dim", soft_wrap=True)
    if checked.forecast is not None:
        for words in (checked.forecast.time, checked.forecast.memory):
            out.print(words, style="dim", soft_wrap=True)
    if checked.disk is not None and checked.disk.warning is not None:
        err.print(checked.disk.warning, style="yellow", soft_wrap=True)


def _print_how_to_follow(id_: str) -> None:
    out.print(f"follow it: recede watch {id_}", style="dim")


def _show(checked: SpecCheck) -> None:
    """Every field of what would be queued, and why where it was chosen."""
    table = Table.grid(padding=(0, 2))
    for field, value in checked.spec.model_dump(mode="json", exclude_none=True).items():
        nested = field in (*spec_options.KINDS.values(), "distill")
        parts = {f"{field}.{k}": v for k, v in value.items()} if nested else {field: value}
        for path, part in parts.items():
            table.add_row(path, str(part), checked.reasons.get(path, ""))
    out.print(table)
    _print_needs(checked)
    out.print(f"{checked.steps} optimiser steps; nothing was queued.")


def _show_grid(client: RecedeClient, spec: Spec, axes: Axes) -> None:
    try:
        base = RunSpec.model_validate(spec)
    except ValidationError as error:
        raise in_words(error.errors(), RunSpec, subject="The spec") from None
    reaches: dict[str, None] = {}

    def check(one: RunSpec) -> RunSpec:
        checked = checked_with_reach(client, one, LOOK_S)
        if checked.reach is not None:
            reaches[checked.reach.words] = None
        return checked.spec

    specs = expand(base, axes, check)
    for one in specs:
        out.print(one.name, soft_wrap=True)
    for words in reaches:  # one, unless the runs differ in their network
        out.print(f"can be cut: {words}", style="dim", soft_wrap=True)
    out.print(f"{len(specs)} runs; nothing was queued.")
