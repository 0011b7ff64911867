"""`recede submit`: a training, or a grid of them, checked by the service before it is queued."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer
from pydantic import ValidationError
from rich.table import Table

from recede.api.rules.grids import expand
from recede.cli.runs import groups
from recede.cli.runs.commands import finish
from recede.cli.submit import spec as spec_options
from recede.cli.submit import start
from recede.cli.submit.spec import Spec
from recede.cli.terminal.console import (
    DEFAULT_URL,
    Url,
    err,
    out,
)
from recede.client import RecedeClient
from recede.contract.schemas import SpecCheck
from recede.contract.spec.grid import Axes
from recede.contract.spec.run import RunSpec
from recede.contract.validation import in_words

_WHAT, _RECIPE, _MACHINE = "What is trained", "Recipe", "Machine"
_PLUGIN, _SEVERAL, _KEPT = "Parameters", "Several runs", "What is kept"

Words = list[str] | None


def _option(help_: str, panel: str, *names: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=help_, rich_help_panel=panel, metavar=metavar)


def submit(
    url: Url = DEFAULT_URL,
    demo: Annotated[bool, _option("The run that shows the point.", _WHAT, "--demo")] = False,
    dataset: Annotated[str | None, _option("For example digits.", _WHAT)] = None,
    architecture: Annotated[str | None, _option("For example vgg11.", _WHAT)] = None,
    method: Annotated[str | None, _option("rni, l1 or ucs.", _WHAT)] = None,
    name: Annotated[str | None, _option("How the run, or the group, is called.", _WHAT)] = None,
    epochs: Annotated[int | None, _option("Passes over the training images.", _RECIPE)] = None,
    batch_size: Annotated[int | None, _option("Images of one step.", _RECIPE)] = None,
    lr: Annotated[float | None, _option("Learning rate at the start.", _RECIPE)] = None,
    schedule: Annotated[
        Literal["step", "cosine"] | None,
        _option("A tenth at 50 % and 75 % of the epochs, or a cosine.", _RECIPE),
    ] = None,
    warmup_epochs: Annotated[
        int | None, _option("Epochs in which the learning rate rises.", _RECIPE)
    ] = None,
    label_smoothing: Annotated[
        float | None, _option("Share of each label spread over all classes.", _RECIPE)
    ] = None,
    seed: Annotated[int | None, _option("Of everything that is random.", _RECIPE)] = None,
    val_fraction: Annotated[
        float | None, _option("Share of the training images held out to choose by.", _RECIPE)
    ] = None,
    width: Annotated[float | None, _option("Channels relative to the original.", _PLUGIN)] = None,
    lam: Annotated[
        float | None, _option("Strength of the penalty; default: fits the steps.", _PLUGIN)
    ] = None,
    shift: Annotated[float | None, _option("Shift of RNI's penalty.", _PLUGIN)] = None,
    param: Annotated[
        Words,
        _option(
            "Any parameter of a plug-in, or of one kind: method.KEY=VALUE.",
            _PLUGIN,
            metavar="KEY=VALUE",
        ),
    ] = None,
    method_param: Annotated[
        Words, _option("A parameter of the method.", _PLUGIN, metavar="KEY=VALUE")
    ] = None,
    architecture_param: Annotated[
        Words, _option("A parameter of the network.", _PLUGIN, metavar="KEY=VALUE")
    ] = None,
    dataset_param: Annotated[
        Words, _option("A parameter of the data set.", _PLUGIN, metavar="KEY=VALUE")
    ] = None,
    weights: start.Weights = None,
    parent: start.Parent = None,
    cut: start.Cut = None,
    recipe: start.RecipeName = None,
    new_head: start.NewHead = False,
    device: Annotated[str | None, _option("auto, cpu or cuda:0, …", _MACHINE)] = None,
    precision: Annotated[
        Literal["auto", "fp32", "bf16"] | None,
        _option("auto: bfloat16 where it is faster.", _MACHINE),
    ] = None,
    compile_: Annotated[
        bool, _option("Compile the network first; pays in long runs.", _MACHINE, "--compile")
    ] = False,
    processes: Annotated[
        int | None, _option("Processes (GPUs) that share each batch.", _MACHINE)
    ] = None,
    map_budget: Annotated[
        float | None,
        _option("Share of the time for accuracy over ratio and epoch; 0: none.", _KEPT),
    ] = None,
    keep_weights_mb: Annotated[
        int | None, _option("Disk for the weights of earlier epochs, in MB.", _KEPT)
    ] = None,
    grid: Annotated[
        Words,
        _option(
            "One run for each value, and each combination: --grid lam=0.01,0.03 --grid seed=0,1,2",
            _SEVERAL,
            metavar="KEY=VALUE,VALUE",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check it, say what would be queued, queue nothing.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it to its end.")] = False,
) -> None:
    """Queue a training; with --watch follow it and end with the lossless ratio.

    With --grid queue one for each combination of values, as a group.
    """
    chosen = {
        "dataset": dataset,
        "architecture": architecture,
        "method": method,
        "name": name,
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": lr,
        "schedule": schedule,
        "warmup_epochs": warmup_epochs,
        "label_smoothing": label_smoothing,
        "seed": seed,
        "device": device,
        "val_fraction": val_fraction,
        "precision": precision,
        "compile": compile_ or None,
        "processes": processes,
        "map_budget": map_budget,
        "keep_weights_mb": keep_weights_mb,
        "init": start.init(weights, parent, spec_options.finite("--cut", cut), new_head),
    }
    shortcuts = {"architecture.width": width, "method.lam": lam, "method.shift": shift}
    lists = {
        "param": param,
        "method-param": method_param,
        "architecture-param": architecture_param,
        "dataset-param": dataset_param,
    }
    start.check_recipe(recipe, cut)
    with RecedeClient(url) as client:
        catalog = client.catalog()
        spec = start.base(client, catalog, parent, demo, recipe)
        spec = spec_options.merged(spec, spec_options.given(chosen))
        spec_options.require(catalog, spec)
        spec_options.scope(catalog, spec)
        for key, value in _parameters(shortcuts, lists):
            spec_options.put(catalog, spec, key, value)
        axes = spec_options.axes(catalog, spec, grid or [])
        _go(client, spec, axes, dry_run=dry_run, watch=watch)


def _parameters(
    shortcuts: Mapping[str, float | None], lists: Mapping[str, Words]
) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [
        (key, spec_options.finite(f"--{key.rpartition('.')[2]}", value))
        for key, value in shortcuts.items()
        if value is not None
    ]
    for option, texts in lists.items():
        kind = option.removesuffix("param").replace("-", ".")
        for text in texts or []:
            key, value = spec_options.assignment(text, option)
            found.append((f"{kind}{key}", spec_options.read(key, value)))
    return found


def _go(client: RecedeClient, spec: Spec, axes: Axes, *, dry_run: bool, watch: bool) -> None:
    if axes and dry_run:
        _show_grid(client, spec, axes)
    elif axes:
        made = client.create_group(spec, axes, name=spec.get("name", "")).group
        out.print(f"group {made.id}: {made.name}: {len(made.runs)} runs")
        groups.finish(client, made.id) if watch else _say_how(made.id)
    elif dry_run:
        _show(client.check_run(spec))
    else:
        checked = client.check_run(spec)
        reasons = checked.reasons
        run = client.create_run(spec).run
        for field, reason in reasons.items():
            out.print(f"{field}: {reason}", style="dim", soft_wrap=True)
        _tell(checked)
        out.print(f"run {run.id}: {run.name}")
        finish(client, run.id) if watch else _say_how(run.id)


def _tell(checked: SpecCheck) -> None:
    """What it may take of time and memory, and what may not fit the disk."""
    if checked.forecast is not None:
        for words in (checked.forecast.time, checked.forecast.memory):
            out.print(words, style="dim", soft_wrap=True)
    if checked.disk is not None and checked.disk.warning is not None:
        err.print(checked.disk.warning, style="yellow", soft_wrap=True)


def _say_how(id_: str) -> None:
    out.print(f"follow it: recede watch {id_}", style="dim")


def _show(checked: SpecCheck) -> None:
    """Every field of what would be queued, and why where it was chosen."""
    table = Table.grid(padding=(0, 2))
    for field, value in checked.spec.model_dump(mode="json", exclude_none=True).items():
        nested = field in spec_options.KINDS.values()
        parts = {f"{field}.{k}": v for k, v in value.items()} if nested else {field: value}
        for path, part in parts.items():
            table.add_row(path, str(part), checked.reasons.get(path, ""))
    out.print(table)
    _tell(checked)
    out.print(f"{checked.steps} optimiser steps; nothing was queued.")


def _show_grid(client: RecedeClient, spec: Spec, axes: Axes) -> None:
    try:
        base = RunSpec.model_validate(spec)
    except ValidationError as error:
        raise in_words(error.errors(), RunSpec, subject="The spec") from None
    specs = expand(base, axes, lambda one: client.check_run(one).spec)
    for one in specs:
        out.print(one.name, soft_wrap=True)
    out.print(f"{len(specs)} runs; nothing was queued.")
