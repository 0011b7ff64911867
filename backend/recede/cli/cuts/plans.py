"""Named plans on the command line: list those of a run, keep one, delete one."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from recede.cli.cuts.explore import (
    AsJson,
    named,
    settled,
)
from recede.cli.cuts.plan_options import Asked, taking_plan
from recede.cli.terminal.console import (
    DEFAULT_URL,
    RunArgument,
    Url,
    out,
    percent,
)
from recede.client import RecedeClient
from recede.contract.schemas import PlanOut
from recede.contract.spec.run import IMPORTANCE, Plan


def list_plans(
    run: RunArgument,
    url: Url = DEFAULT_URL,
    delete: Annotated[
        str | None, typer.Option(metavar="NAME", help="Plan to delete, by its name or id.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the named plans of a run, or delete one."""
    with RecedeClient(url) as client:
        kept = client.plans(run).items
        if delete is not None:
            gone = named(kept, delete)
            client.delete_plan(run, gone.id)
            out.print(f"plan {gone.id} is deleted: {gone.name}", soft_wrap=True)
            return
    if as_json:
        out.print_json(data=[plan.model_dump(mode="json") for plan in kept])
    elif not kept:
        out.print(f"No named plans. Keep one: recede keep {run} NAME --ratio 0.5")
    else:
        out.print(_table(kept))


@taking_plan
def keep(
    run: RunArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the plan.")],
    asked: Asked,
    url: Url = DEFAULT_URL,
    notes: Annotated[str, typer.Option(help="Notes on the plan.")] = "",
) -> None:
    """Keep a plan with its run under a name; nothing is cut."""
    with RecedeClient(url) as client:
        made = client.save_plan(run, name, settled(client, run, asked), notes=notes)
        link = f"{client.url}/runs/{run}?tab=explore&plan={made.id}"
    out.print(f"plan {made.id}: {made.name}: {in_words(made.plan)}", soft_wrap=True)
    out.print(link, style="dim", soft_wrap=True)


def in_words(plan: Plan) -> str:
    """What a plan asks for, in one line."""
    epoch = "best epoch" if plan.epoch is None else f"epoch {plan.epoch}"
    amount = percent(plan.ratio) if plan.ratio is not None else f"threshold {plan.threshold:g}"
    words = [epoch, amount]
    if plan.scope == "local" and plan.threshold is None:
        words.append("local")
    if plan.criterion != IMPORTANCE:
        words.append(plan.criterion)
    words += [f"{layer} locked" for layer in plan.locks]
    words += [f"{layer} at {percent(ratio)}" for layer, ratio in plan.overrides.items()]
    if plan.round_to > 1:
        words.append(f"multiples of {plan.round_to}")
    if plan.min_channels is not None:
        words.append(f"at least {plan.min_channels} channels")
    if plan.bias == "fold":
        words.append("bias folded")
    return ", ".join(words)


def _table(kept: list[PlanOut]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("id", "name", "plan", "notes"):
        table.add_column(heading, justify="right" if heading == "id" else "left")
    for one in kept:
        table.add_row(str(one.id), one.name, in_words(one.plan), one.notes)
    return table
