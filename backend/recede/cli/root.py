"""All commands of `recede` under one name."""

from __future__ import annotations

import typer

from recede.cli.cuts import (
    checkpoints,
    curves,
    explore,
    latency,
    plans,
    pruning,
)
from recede.cli.files import bench, inspect, verify
from recede.cli.runs import (
    commands,
    groups,
    maps,
    polarisation,
)
from recede.cli.service import (
    commands as service,
)
from recede.cli.service import (
    doctor,
    webhook,
)
from recede.cli.submit import command, given
from recede.cli.terminal.console import Commands

app = typer.Typer(
    name="recede",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Train a network, watch unimportant neurons recede, choose the cut and download the "
    "smaller network. "
    "Begin with `recede up`.",
)

app.command("up")(service.up)
app.command("web")(service.web)
app.command("worker")(service.worker)
# A parameter of a plug-in is an option as well; which there are is known to the service alone.
_OPEN = {"ignore_unknown_options": True, "allow_extra_args": True}
app.command("submit", context_settings=_OPEN)(command.submit)
app.command("import", context_settings=_OPEN)(given.import_weights)
app.command("runs")(commands.list_runs)
app.command("groups")(groups.list_groups)
app.command("watch")(commands.watch)
app.command("cancel")(commands.cancel)
app.command("resume")(commands.resume)
app.command("polarisation")(polarisation.polarisation)
app.command("preview")(explore.preview)
app.command("evaluate")(explore.evaluate)
app.command("latency")(latency.latency)
app.command("score")(explore.score)
app.command("protect")(explore.protect)
app.command("curve")(curves.curve)
app.command("map")(maps.show_map)
app.command("comparison")(maps.comparison)
app.command("prune")(pruning.prune)
app.command("plans")(plans.list_plans)
app.command("keep")(plans.keep)
app.command("files")(checkpoints.files)
app.command("download")(pruning.download)
app.command("bench")(bench.bench)
app.command("verify")(verify.verify)
app.command("inspect")(inspect.inspect)
app.command("webhook")(webhook.webhook)
app.command("doctor")(doctor.doctor)
app.command("upgrade")(service.upgrade)
app.command("version")(service.show_version)
