"""What all commands share: the two consoles, errors in one red line, common options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from recede.client import ApiError
from recede.client.blocking import DEFAULT_URL
from recede.contract.errors import InvalidInput, RecedeError
from recede.contract.schemas import ErrorBody

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

BAD_INPUT, FAILED = 2, 1

Url = Annotated[str, typer.Option("--url", envvar="RECEDE_URL", help="Where the service listens.")]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder for everything that Recede keeps.", envvar="RECEDE_DATA"),
]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Id of the run.")]

__all__ = ["BAD_INPUT", "DEFAULT_URL", "FAILED", "Commands", "Data", "RunArgument", "Url"]


class Commands(TyperGroup):
    """Shows errors to the user in words, without a traceback."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command; ends with 2 for bad input and 1 for any other failure."""
        try:
            return super().invoke(ctx)
        except RecedeError as error:
            err.print(in_one_line(error), soft_wrap=True)
            raise typer.Exit(BAD_INPUT if is_bad_input(error) else FAILED) from None


def is_bad_input(error: RecedeError) -> bool:
    """True if the user can fix it by changing the input."""
    refused = isinstance(error, ApiError) and error.status == 422
    return refused or isinstance(error, InvalidInput)


def in_one_line(error: RecedeError) -> Text:
    """Message, field and hint in red."""
    parts = [error.message]
    if error.field and error.field.lower() not in error.message.lower():
        parts.append(f"[{error.field}]")
    if error.hint:
        parts.append(error.hint)
    return Text(" ".join(parts), style="red")


def tell_failure(error: ErrorBody | None) -> None:
    """What made a job or a run fail, if that is known."""
    if error is not None:
        failure = RecedeError(error.message, field=error.field, hint=error.hint)
        err.print(in_one_line(failure), soft_wrap=True)


def percent(share: float, digits: int = 1) -> str:
    """A share as a percentage; digits are dropped where they say nothing."""
    text = f"{100 * share:.{digits}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + " %"


def count(number: int) -> str:
    """A large count in thousands (k), millions (M) or billions (G)."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)


def size(n_bytes: int) -> str:
    """A size with a binary unit."""
    value = float(n_bytes)
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.3g} {unit}"
        value /= 1024
    return f"{value:.3g} GiB"


def duration(seconds: float) -> str:
    """A time in the two units that matter."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
