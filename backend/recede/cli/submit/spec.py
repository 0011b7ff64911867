"""From options of the command line to a spec and the axes of a grid."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from recede.contract.errors import InvalidInput, UnknownName
from recede.contract.spec.catalog import Catalog
from recede.contract.spec.params import ParamSpec
from recede.contract.spec.run import RunSpec

Spec = dict[str, Any]
Parameters = list[tuple[str, Any]]
"""Names of parameters, with or without their kind of plug-in, and their values."""

KINDS = {
    "method": "method_params",
    "architecture": "architecture_params",
    "dataset": "dataset_params",
}
_EXAMPLES = {
    "param": "--param method.KEY=0.03",
    "grid": "--grid lr=0.05,0.1 --grid seed=0,1,2",
}


def finite(name: str, value: Any) -> Any:
    """The value; raises InvalidInput if it is a number that is not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput(
            f"{name} was {value}; it must be a finite number.",
            field=name.removeprefix("--").replace("-", "_"),
            hint="Leave it out for its default.",
        )
    return value


def merged(start: Spec, chosen: Mapping[str, Any]) -> Spec:
    """The spec with what was chosen; parameters of a plug-in that was replaced are dropped."""
    changed = {kind for kind in KINDS if kind in chosen and chosen[kind] != start.get(kind)}
    kept = {key: value for key, value in start.items() if key not in {KINDS[k] for k in changed}}
    return {**kept, **chosen}


def require(catalog: Catalog, spec: Spec, otherwise: str) -> None:
    """Data set, architecture and method have no default; the first that is missing is named.

    `otherwise` says what else the command offers.

    Raises:
        InvalidInput: one of them is missing.
    """
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
                hint=f"Use one of: {names}. {otherwise}",
            )


def scope(catalog: Catalog, spec: Spec) -> None:
    """A network is cut as its method is published: over all layers together, or in each."""
    plan = (spec.get("init") or {}).get("plan")
    if plan is not None:
        plan["scope"] = catalog.method(spec["method"]).scope


def put(
    catalog: Catalog, spec: Spec, key: str, value: Any, *, options: Iterable[str] = ()
) -> None:
    """Set a parameter; without a prefix it goes to the plug-in that declares it.

    `options` are other names that may have been meant.
    """
    kind, name = _owner(catalog, spec, key, field="param", others=options)
    spec.setdefault(KINDS[kind], {})[name] = value


def assignments(**given: list[str] | None) -> Parameters:
    """Parameters of --param KEY=VALUE, and of the same for each kind of plug-in."""
    found = []
    for name, texts in given.items():
        option = name.replace("_", "-")
        kind = name.removesuffix("param").replace("_", ".")
        for text in texts or []:
            key, value = assignment(text, option)
            found.append((f"{kind}{key}", read(key, value)))
    return found


def assignment(text: str, option: str) -> tuple[str, str]:
    """KEY and VALUE of KEY=VALUE."""
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise InvalidInput(
            f"--{option} was {text!r}; it must be KEY=VALUE.",
            field=option,
            hint=f"For example {_EXAMPLES.get(option, f'--{option} KEY=0.5')}.",
        )
    return key, value


def read(key: str, text: str) -> Any:
    """A value as JSON, else as the text that it is."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return finite(key, value)


def axes(catalog: Catalog, spec: Spec, texts: Iterable[str]) -> dict[str, list[Any]]:
    """The axes of --grid KEY=VALUE,VALUE,…: dotted field of a spec → values."""
    found: dict[str, list[Any]] = {}
    for text in texts:
        key, values = assignment(text, "grid")
        axis = _axis(catalog, spec, key)
        parts = [part.strip() for part in values.split(",")]
        found.setdefault(axis, []).extend(read(key, part) for part in parts if part)
    return found


def _axis(catalog: Catalog, spec: Spec, key: str) -> str:
    field = key.replace("-", "_")
    if field in RunSpec.model_fields or field.split(".")[0] in (*KINDS.values(), "init"):
        return field
    kind, name = _owner(catalog, spec, key, field="grid", others=RunSpec.model_fields)
    return f"{KINDS[kind]}.{name}"


def _owner(
    catalog: Catalog, spec: Spec, key: str, *, field: str, others: Iterable[str] = ()
) -> tuple[str, str]:
    """Kind of plug-in and name of a parameter that is written with or without its kind."""
    kind, _, name = key.rpartition(".")
    if kind and kind not in KINDS:
        raise UnknownName("kind of parameter", kind, KINDS, field=field)
    if kind:
        return kind, name
    declared = {known: [p.name for p in _params(catalog, spec, known)] for known in KINDS}
    for known, names in declared.items():
        if name in names:
            return known, name
    every = {*others, *(p for names in declared.values() for p in names)}
    raise UnknownName("parameter", name, every, field=field)


def _params(catalog: Catalog, spec: Spec, kind: str) -> tuple[ParamSpec, ...]:
    entries = {
        "method": catalog.methods,
        "architecture": catalog.architectures,
        "dataset": catalog.datasets,
    }[kind]
    return next((entry.params for entry in entries if entry.name == spec.get(kind)), ())
