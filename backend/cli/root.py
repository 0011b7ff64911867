"""All commands of `recede` under one name."""

from __future__ import annotations

import typer

from backend.cli import (
    curves,
    cutting,
    doctor,
    groups,
    inspect,
    maps,
    plans,
    polarisation,
    pruning,
    runs,
    service,
    submit,
    timing,
    verify,
    webhook,
)
from backend.cli.console import Commands

app = typer.Typer(
    name="recede",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Train a network, watch unimportant neurons recede, choose the cut, take it away. "
    "Begin with `recede up`.",
)

app.command("up")(service.up)
app.command("web")(service.web)
app.command("worker")(service.worker)
app.command("submit")(submit.submit)
app.command("runs")(runs.list_runs)
app.command("groups")(groups.list_groups)
app.command("watch")(runs.watch)
app.command("cancel")(runs.cancel)
app.command("resume")(runs.resume)
app.command("polarisation")(polarisation.polarisation)
app.command("preview")(cutting.preview)
app.command("evaluate")(cutting.evaluate)
app.command("latency")(timing.latency)
app.command("score")(cutting.score)
app.command("protect")(cutting.protect)
app.command("curve")(curves.curve)
app.command("map")(maps.show_map)
app.command("comparison")(maps.comparison)
app.command("prune")(pruning.prune)
app.command("plans")(plans.list_plans)
app.command("keep")(plans.keep)
app.command("download")(pruning.download)
app.command("verify")(verify.verify)
app.command("inspect")(inspect.inspect)
app.command("webhook")(webhook.webhook)
app.command("doctor")(doctor.doctor)
app.command("upgrade")(service.upgrade)
app.command("version")(service.show_version)
