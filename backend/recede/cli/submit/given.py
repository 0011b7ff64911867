"""`recede import`: a network that was trained elsewhere, or a training that runs elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from recede.cli.submit import options, start
from recede.cli.submit import spec as spec_options
from recede.cli.submit.command import go
from recede.cli.submit.offered import offered
from recede.cli.submit.recorded import import_recording
from recede.cli.submit.spec import Parameters, Spec
from recede.cli.terminal.console import DEFAULT_URL, Url
from recede.cli.terminal.options import taking
from recede.client import RecedeClient
from recede.contract.errors import InvalidInput
from recede.contract.spec.catalog import Catalog

_SPLIT = ("seed", "val_fraction", "prunable")
"""Of the recipe what holds for a network that is not trained: validation images, and its cuts."""
_HELP = "recede import --help lists all options."


@taking("kinds", options.kinds(), options.chosen)
@taking("pixels", options.pixels(), options.normalized)
@taking("split", options.recipe("recipe", only=_SPLIT), options.chosen)
@taking("parameters", options.parameters(), spec_options.assignments)
@taking("machine", options.recipe("machine"), options.chosen)
def import_weights(
    ctx: typer.Context,
    weights: Annotated[
        str,
        typer.Argument(
            metavar="FILE|FOLDER|NETWORK",
            help="safetensors or a state_dict, below a data root of the worker; the folder of a "
            "recording that recede.watch makes; or with --pretrained the name of the network.",
        ),
    ],
    kinds: Spec,
    pixels: Spec,
    split: Spec,
    parameters: Parameters,
    machine: Spec,
    url: Url = DEFAULT_URL,
    name: Annotated[str | None, options.option("Name of the run.", options.WHAT)] = None,
    new_head: Annotated[
        bool,
        options.option(
            "Reinitialise the last layer, for other classes.", options.WHAT, "--new-head"
        ),
    ] = False,
    pretrained: Annotated[
        str | None, options.option(start.PRETRAINED_HELP, options.WHAT, "--pretrained")
    ] = None,
    classes: Annotated[
        str | None, options.option(start.CLASSES_HELP, options.WHAT, "--classes")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check it, say what would be queued, queue nothing.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show progress until it ends.")] = False,
    follow: Annotated[
        bool,
        typer.Option("--follow", help="Of a recording: also what is added to it, until it ends."),
    ] = False,
) -> None:
    """Import weights that were trained elsewhere, to look at them and cut them.

    Nothing is trained: the network is measured as it is, on the images of --dataset, and then
    its curve. Without --method its batch norms stay as they are.

    Of the folder of a recording the training is shown as a run, with --follow as it goes on. The
    folder is read here; run again, what the service has is not sent again.

    Every parameter of the network and the data set is an option of its own as well:
    --KEY VALUE.
    """
    own, known = options.named(ctx.args, "import"), [str(one.name) for one in ctx.command.params]
    if pretrained is None and Path(weights).is_dir():
        meant = {**kinds, **pixels, **split, **machine, **dict(own), **dict(parameters)}
        meant |= options.chosen(name=name, new_head=new_head or None, classes=classes)
        meant |= options.chosen(dry_run=dry_run or None)
        _refuse_for_folder([*meant, *(["watch"] if watch else [])])
        with RecedeClient(url) as client:
            import_recording(client, Path(weights), follow=follow)
        return
    if follow:
        raise InvalidInput(
            f"--follow was given for {weights!r}, which is no folder with a recording.",
            field="follow",
            hint="Give the folder that recede.watch records into, or --watch for weights.",
        )
    with RecedeClient(url) as client:
        catalog = offered(client)
        given = {"file": weights} if pretrained is None else {"pretrained": pretrained}
        if pretrained is not None:
            kinds = kinds | {"architecture": _network(weights, kinds)}
        init = start.with_classes(given | {"new_head": new_head}, classes)
        spec: Spec = {"method": _as_it_is(catalog), **kinds, **pixels, **split, **machine}
        spec |= {**options.chosen(name=name), "epochs": 0, "init": init}
        spec_options.require(catalog, spec, _HELP)
        for key, value in own:
            spec_options.put(catalog, spec, key, value, options=known)
        for key, value in parameters:
            spec_options.put(catalog, spec, key, value)
        go(client, spec, {}, dry_run=dry_run, watch=watch)


def _network(argument: str, kinds: Spec) -> str:
    """The network that the argument names; raises InvalidInput if --architecture names another."""
    named = str(kinds.get("architecture", argument))
    if named != argument:
        raise InvalidInput(
            f"{argument!r} and --architecture {named} were both given; with --pretrained the "
            "argument is the network.",
            field="architecture",
            hint=f"recede import {named} --pretrained TAG, for example.",
        )
    return named


def _refuse_for_folder(given: Sequence[str]) -> None:
    """A recording says itself what it is: options for weights would do nothing, silently."""
    if given:
        raise InvalidInput(
            f"--{given[0].replace('_', '-')} was given for a folder; it is an option for weights.",
            field=given[0],
            hint="Leave it out: the recording holds network, data set and name.",
        )


def _as_it_is(catalog: Catalog) -> str:
    """A method that leaves batch norms as they are; which one makes no difference here."""
    for method in catalog.methods:
        if method.scale == "plain":
            return method.name
    raise InvalidInput(
        "No method of the worker leaves batch norms as they are.",
        field="method",
        hint="Name one with --method.",
    )
