"""The options that say what to cut, the same for every command that takes a plan."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer
from pydantic import ValidationError

from recede.cli.terminal.options import parameters_of, taking
from recede.contract.cut.targets import (
    OpenPlan,
    Target,
    TargetKind,
)
from recede.contract.errors import InvalidInput
from recede.contract.spec.run import IMPORTANCE, Plan
from recede.contract.validation import in_words

_AMOUNT = re.compile(r"\s*([0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?)\s*([^\W\d_]*|%)\s*", re.IGNORECASE)
_COUNTS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}
_SIZES = {"": 1.0, "b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "kib": 2**10, "mib": 2**20}
_UNITS: dict[str, dict[str, float]] = {
    "macs": _COUNTS,
    "params": _COUNTS,
    "size": _SIZES,
    "accuracy": {"": 1.0},
    "drop": {"": 0.01, "points": 0.01, "p": 0.01},
    "latency": {"": 1.0, "ms": 1.0, "s": 1000.0},
}
_EXAMPLES = {
    "macs": "30% (of the dense network) or 120M",
    "params": "30% (of the dense network) or 1.2M",
    "size": "30% (of the dense file) or 5MB",
    "accuracy": "90% or 0.9",
    "drop": "0.5, in percentage points",
    "latency": "4ms",
}
_KINDS: dict[str, TargetKind] = {
    "macs": "macs",
    "params": "params",
    "size": "bytes",
    "accuracy": "accuracy",
    "drop": "drop",
}


@dataclass(frozen=True)
class Asked:
    """A plan, or what its cut should cost or keep; then the plan's ratio is open."""

    plan: Plan | OpenPlan
    target: Target | None = None
    latency_ms: float | None = None
    words: str = ""
    """The option that gives the target, as it was written."""
    device: str | None = None
    """A device that reported: its latency, among the networks that were timed there."""
    named: str | None = None
    """The name or id of a plan that is kept with the run: that one, and nothing of `plan`."""


def asked(
    ratio: Annotated[
        float | None, typer.Option(help="Share of the neurons to remove, from 0 to below 1.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Keep neurons whose importance is above this.")
    ] = None,
    macs: Annotated[
        str | None, typer.Option(metavar="N", help="At most so many MACs: 30% or 120M.")
    ] = None,
    params: Annotated[
        str | None, typer.Option(metavar="N", help="At most so many parameters: 30% or 1.2M.")
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="N", help="At most this file size: 30% or 5MB.")
    ] = None,
    accuracy: Annotated[
        str | None,
        typer.Option(metavar="A", help="The smallest network with at least this accuracy: 90%."),
    ] = None,
    drop: Annotated[
        str | None,
        typer.Option(
            metavar="D", help="The smallest network that loses at most so many points: 0.5."
        ),
    ] = None,
    latency: Annotated[
        str | None, typer.Option(metavar="T", help="At most this latency, as measured: 4ms.")
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(
            metavar="DEVICE", help="With --latency: among cuts that were timed on this device."
        ),
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A saved plan of the run, by name or id."),
    ] = None,
    scope: Annotated[
        Literal["global", "local"],
        typer.Option(help="Rank all neurons together (global), or layer by layer (local)."),
    ] = "global",
    epoch: Annotated[int | None, typer.Option(help="Default: best on validation.")] = None,
    criterion: Annotated[
        str, typer.Option(help="What ranks the neurons; a wrong name lists them.")
    ] = IMPORTANCE,
    round_to: Annotated[
        int, typer.Option(help="Round the channels kept in each layer up to a multiple of this.")
    ] = 1,
    min_channels: Annotated[
        int | None, typer.Option(help="Keep at least this many channels in each layer.")
    ] = None,
    bias: Annotated[
        Literal["drop", "fold"],
        typer.Option(
            help="Constant output relu(β) of removed channels: discard (drop) or absorb (fold)."
        ),
    ] = "drop",
    lock: Annotated[
        list[str] | None, typer.Option(help="Lock this layer: it keeps every channel.")
    ] = None,
    override: Annotated[
        list[str] | None, typer.Option(help="A layer with its own ratio: LAYER=RATIO.")
    ] = None,
) -> Asked:
    """What the command line asks for.

    Raises:
        InvalidInput: none or several of the ways to say how much; a value that cannot be read.
    """
    rest = {
        "scope": scope,
        "epoch": epoch,
        "criterion": criterion,
        "round_to": round_to,
        "min_channels": min_channels,
        "bias": bias,
        "locks": lock or [],
        "overrides": dict(_override(given) for given in override or []),
    }
    written = {
        "macs": macs,
        "params": params,
        "size": size,
        "accuracy": accuracy,
        "drop": drop,
        "latency": latency,
    }
    targets = {name: text for name, text in written.items() if text is not None}
    amounts = {"ratio": ratio, "threshold": threshold, **targets, "plan": plan}
    chosen = [name for name, value in amounts.items() if value is not None]
    if len(chosen) != 1:
        raise _not_one(chosen)
    if on is not None and latency is None:
        raise InvalidInput("--on names the device of a --latency, which is missing.", field="on")
    if plan is not None:
        whose = f"The plan {plan!r}"
        return Asked(_nothing_beside(whose, _checked(OpenPlan, rest)), named=plan)
    if not targets:
        return Asked(_checked(Plan, {**rest, "ratio": ratio, "threshold": threshold}))
    ((name, text),) = targets.items()
    open_plan = _checked(OpenPlan, rest)
    words = f"--{name} {text}"
    if name == "latency":
        if on is not None:
            _nothing_beside("A cut that was timed", open_plan)
        return Asked(open_plan, latency_ms=_amount(name, text)[0], words=words, device=on)
    return Asked(open_plan, _target(name, text), words=words)


taking_plan = taking("asked", parameters_of(asked), asked)
"""A decorator: the command has the options of `asked` in place of its parameter of that name."""


def _not_one(given: list[str]) -> InvalidInput:
    ways = ", ".join(f"--{name}" for name in ("ratio", "threshold", *_UNITS, "plan"))
    said = " and ".join(f"--{name}" for name in given) or "none of them"
    return InvalidInput(
        f"Say how much to cut in one way; given was {said}.",
        field="plan",
        hint=f"Use one of {ways}.",
    )


def _nothing_beside(what: str, rest: OpenPlan) -> OpenPlan:
    """The rest of the options, which a plan that is there already leaves no room for."""
    given = [
        f"--{field.removesuffix('s').replace('_', '-')}"
        for field, value in rest
        if value != getattr(OpenPlan(), field)
    ]
    if given:
        raise InvalidInput(
            f"{what} says all of a cut; given beside it was {' and '.join(given)}.",
            field="plan",
            hint="Leave that out, or give all of the cut by options.",
        )
    return rest


def _target(name: str, text: str) -> Target:
    value, share = _amount(name, text)
    relative = share and name not in ("accuracy", "drop")
    values = {"kind": _KINDS[name], "value": value, "relative": relative}
    target: Target = _checked(Target, values)
    return target


def _amount(name: str, text: str) -> tuple[float, bool]:
    """The number in the unit of the service, and whether it was a percentage."""
    found = _AMOUNT.fullmatch(text)
    unit = found[2].lower() if found else "?"
    units = _UNITS[name] if name == "latency" else {**_UNITS[name], "%": 0.01}
    if found is None or unit not in units or not math.isfinite(float(found[1])):
        raise InvalidInput(
            f"--{name} was {text!r}; it must be like {_EXAMPLES[name]}.", field=name
        )
    return float(found[1]) * units[unit], unit == "%"


def _override(given: str) -> tuple[str, float]:
    layer, _, text = given.rpartition("=")
    try:
        return layer, float(text)
    except ValueError as error:
        raise InvalidInput(
            f"--override was {given!r}; it must be LAYER=RATIO.",
            field="override",
            hint="For example --override features.0=0.2.",
        ) from error


def _checked(model: Any, values: dict[str, Any]) -> Any:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        subject = "The target" if model is Target else "The plan"
        raise in_words(error.errors(), model, subject=subject) from error
