"""`recede submit`: a training from options, checked by the service before it is queued."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from backend.cli.console import DEFAULT_URL, Url, out
from backend.cli.runs import finish
from backend.client import RecedeClient
from backend.contract.catalog import Catalog
from backend.contract.errors import InvalidInput, UnknownName
from backend.contract.params import ParamSpec
from backend.contract.specs import RunSpec

Text = Annotated[str | None, typer.Option()]
Whole = Annotated[int | None, typer.Option()]
Number = Annotated[float | None, typer.Option()]

_KINDS = {
    "method": "method_params",
    "architecture": "architecture_params",
    "dataset": "dataset_params",
}


def submit(
    url: Url = DEFAULT_URL,
    demo: Annotated[bool, typer.Option("--demo", help="The run that shows the point.")] = False,
    dataset: Annotated[str | None, typer.Option(help="For example digits.")] = None,
    architecture: Annotated[str | None, typer.Option(help="For example vgg11.")] = None,
    method: Annotated[str | None, typer.Option(help="rni, l1 or ucs.")] = None,
    name: Text = None,
    epochs: Whole = None,
    batch_size: Whole = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate at the start.")] = None,
    seed: Whole = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda:0, …")] = None,
    val_fraction: Annotated[
        float | None, typer.Option(help="Share of the training images held out to choose by.")
    ] = None,
    width: Annotated[float | None, typer.Option(help="Channels relative to the original.")] = None,
    lam: Annotated[
        float | None, typer.Option(help="Strength of the penalty; default: fits the steps.")
    ] = None,
    shift: Annotated[float | None, typer.Option(help="Shift of RNI's penalty.")] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(help="Any parameter of a plug-in: [method.|architecture.|dataset.]KEY=VALUE"),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it to its end.")] = False,
) -> None:
    """Queue a training; with --watch follow it and end with the lossless ratio."""
    chosen = {
        "dataset": dataset,
        "architecture": architecture,
        "method": method,
        "name": name,
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": lr,
        "seed": seed,
        "device": device,
        "val_fraction": val_fraction,
    }
    with RecedeClient(url) as client:
        catalog = client.catalog()
        spec = _base(catalog, demo, _given(chosen))
        _require(catalog, spec)
        shortcuts = {
            "architecture.width": width,
            "method.lam": lam,
            "method.shift": shift,
        }
        for key, value in shortcuts.items():
            if value is not None:
                option = f"--{key.rpartition('.')[2]}"
                _put(catalog, spec, key, _finite(option, value))
        for given in param or []:
            key, value = _parse(given)
            _put(catalog, spec, key, value)
        run = client.create_run(spec).run
        for line in _fitted(catalog, spec.get("method_params", {}), run.spec):
            out.print(line, style="dim")
        out.print(f"run {run.id}: {run.name}")
        if watch:
            finish(client, run.id)
        else:
            out.print(f"follow it: recede watch {run.id}", style="dim")


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, their numbers finite."""
    return {
        key: _finite(f"--{key.replace('_', '-')}", value)
        for key, value in options.items()
        if value is not None
    }


def _finite(name: str, value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput(
            f"{name} was {value}; it must be a finite number.",
            field=name.removeprefix("--").replace("-", "_"),
            hint="Leave it out for its default.",
        )
    return value


def _require(catalog: Catalog, spec: dict[str, Any]) -> None:
    """Data set, architecture and method have no default; the first that is missing is named."""
    known = {
        "dataset": catalog.datasets,
        "architecture": catalog.architectures,
        "method": catalog.methods,
    }
    for option, entries in known.items():
        if option not in spec:
            names = ", ".join(entry.name for entry in entries)
            raise InvalidInput(
                f"--{option} is missing; it has no default.",
                field=option,
                hint=f"Use one of: {names}. Or take --demo, which chooses all.",
            )


def _base(catalog: Catalog, demo: bool, chosen: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = catalog.demo.model_dump(mode="json") if demo else {}
    changed = {kind for kind in _KINDS if kind in chosen and chosen[kind] != spec.get(kind)}
    for kind in changed:  # the parameters of another plug-in mean nothing to this one
        spec.pop(_KINDS[kind], None)
    return {**spec, **chosen}


def _parse(given: str) -> tuple[str, Any]:
    key, separator, text = given.partition("=")
    if not separator or not key:
        raise InvalidInput(
            f"--param was {given!r}; it must be KEY=VALUE.",
            field="param",
            hint="For example --param lam=0.03 or --param architecture.width=0.5.",
        )
    try:
        value = json.loads(text)
    except ValueError:
        return key, text
    return key, _finite(key, value)


def _put(catalog: Catalog, spec: dict[str, Any], key: str, value: Any) -> None:
    """Set a parameter; without a prefix it goes to the plug-in that declares it."""
    kind, _, name = key.rpartition(".")
    if kind and kind not in _KINDS:
        raise UnknownName("kind of parameter", kind, _KINDS, field="param")
    if not kind:
        declared = {known: [p.name for p in _params(catalog, spec, known)] for known in _KINDS}
        owners = [known for known, names in declared.items() if name in names]
        if not owners:
            every = {p for names in declared.values() for p in names}
            raise UnknownName("parameter", name, every, field="param")
        kind = owners[0]
    spec.setdefault(_KINDS[kind], {})[name] = value


def _params(catalog: Catalog, spec: dict[str, Any], kind: str) -> tuple[ParamSpec, ...]:
    entries = {
        "method": catalog.methods,
        "architecture": catalog.architectures,
        "dataset": catalog.datasets,
    }[kind]
    return next((entry.params for entry in entries if entry.name == spec.get(kind)), ())


def _fitted(catalog: Catalog, given: dict[str, Any], used: RunSpec) -> Iterator[str]:
    """What the service chose because it belongs to the number of steps."""
    numbers = used.epochs, used.batch_size, used.val_fraction
    steps = catalog.dataset(used.dataset).steps(*numbers)
    for parameter in catalog.method(used.method).params:
        if parameter.per_steps is not None and parameter.name not in given:
            yield (
                f"{parameter.label}: {used.method_params[parameter.name]} fits {steps} steps; "
                f"another: --param {parameter.name}=…"
            )
