"""`recede polarisation`: how clearly the importances of a run have parted."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from recede.cli.terminal.console import (
    DEFAULT_URL,
    RunArgument,
    Url,
    out,
    percent,
)
from recede.client import RecedeClient
from recede.contract.cut.polarisation import Polarisation
from recede.contract.errors import InvalidInput
from recede.contract.schemas import EpochPolarisation, PolarisationsOut

_COLUMNS = {
    "below_001": "under 0.01",
    "below_01": "under 0.1",
    "above_05": "over 0.5",
    "bimodality": "bimodality",
    "valley": "natural gap",
}


def polarisation(
    run: RunArgument,
    url: Url = DEFAULT_URL,
    epoch: Annotated[int | None, typer.Option(help="Only this epoch.")] = None,
    layers: Annotated[
        bool, typer.Option("--layers", help="Each layer, of this or the latest epoch.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say epoch by epoch how clearly the importances have parted, and what each figure means."""
    with RecedeClient(url) as client:
        found = client.polarisation(run, layers=layers)
    found = found.model_copy(update={"items": _chosen(found, epoch)})
    if as_json:
        out.file.write(found.model_dump_json(indent=2) + "\n")
        return
    if not found.items:
        out.print("No epoch is finished yet.")
        return
    rows = _layers(found.items[-1]) if layers else {str(e.epoch): e.overall for e in found.items}
    if layers:
        out.print(f"epoch {found.items[-1].epoch}")
    out.print(_table("layer" if layers else "epoch", rows))
    for field, heading in _COLUMNS.items():
        out.print(f"{heading}: {found.definitions[field]}", style="dim", soft_wrap=True)


def summary_line(found: Polarisation) -> str:
    """The figures of one epoch in words."""
    parts = [
        f"{percent(found.below_01)} of the importances under 0.1",
        f"{percent(found.above_05)} over 0.5",
    ]
    if found.bimodality is not None:
        parts.append(f"bimodality {found.bimodality:.2f}")
    valley = "one hump" if found.valley is None else f"natural gap {found.valley:g}"
    return ", ".join([*parts, valley])


def _chosen(found: PolarisationsOut, epoch: int | None) -> list[EpochPolarisation]:
    chosen = [one for one in found.items if epoch in (None, one.epoch)]
    if epoch is not None and not chosen:
        known = [one.epoch for one in found.items]
        raise InvalidInput(
            f"Epoch was {epoch}; "
            + (f"stored: {known[0]} to {known[-1]}." if known else "none is finished yet."),
            field="epoch",
            hint="Leave it out for all.",
        )
    return chosen


def _layers(one: EpochPolarisation) -> dict[str, Polarisation]:
    return {"all": one.overall, **(one.layers or {})}


def _table(first: str, rows: dict[str, Polarisation]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(first, no_wrap=True)
    for heading in ("neurons", *_COLUMNS.values()):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, one in rows.items():
        shares = (percent(share) for share in (one.below_001, one.below_01, one.above_05))
        bimodality = "" if one.bimodality is None else f"{one.bimodality:.3f}"
        valley = "" if one.valley is None else f"{one.valley:g}"
        table.add_row(name, str(one.n), *shares, bimodality, valley)
    return table
