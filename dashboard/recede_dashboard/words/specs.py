"""The settings of a run in words: their labels, all of them in rows, and the fewest words."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from recede.client import (
    RECIPE_FIELDS,
    ArchitectureInfo,
    Catalog,
    DatasetInfo,
    MethodInfo,
    Normalize,
    ParamSpec,
    RunSpec,
)
from recede_dashboard.words.numbers import THIN, number, plural, short_share
from recede_dashboard.words.plans import plan_words

Entry = ArchitectureInfo | DatasetInfo | MethodInfo

GROUPS = {
    "dataset": "dataset_params",
    "architecture": "architecture_params",
    "method": "method_params",
}
"""The field of a spec that holds the parameters of a plug-in, by the plug-in's kind."""

LABELS = {
    "name": "Name",
    "dataset": "Data set",
    "architecture": "Network",
    "method": "Method",
    **{field.name: field.label for field in RECIPE_FIELDS},
}
"""The form's labels, by the fields of a spec that belong to no plug-in."""

CHOICES = {
    "schedule": {"step": "Steps", "cosine": "Cosine"},
    "prunable": {"inner": "Inner channels", "all": "All, residual ones included"},
    "precision": {"auto": "Automatic", "fp32": "fp32", "bf16": "bf16"},
    "scale": {
        "auto": "Automatic",
        "gate": "Gates on the given batch norms",
        "bounded": "Bounded batch norms, without β",
        "plain": "The given batch norms, by |γ|",
    },
}
"""The labels of the values of a field, where they have any."""


def entry_of(catalog: Catalog, kind: str, name: str) -> Entry | None:
    """The plug-in of that kind and name; None if there is none."""
    return next((entry for entry in _entries(catalog)[kind] if entry.name == name), None)


def _entries(catalog: Catalog) -> dict[str, Sequence[Entry]]:
    return {
        "dataset": catalog.datasets,
        "architecture": catalog.architectures,
        "method": catalog.methods,
    }


def params_of(catalog: Catalog, kind: str, name: str) -> Sequence[ParamSpec]:
    """Parameters that a plug-in declares; none for one that does not exist."""
    entry = entry_of(catalog, kind, name)
    return () if entry is None else entry.params


def label_of(field: str, spec: RunSpec, catalog: Catalog | None) -> str:
    """What the form calls a dotted field; its own name without a catalog."""
    group, _, name = field.rpartition(".")
    kind = next((kind for kind, own in GROUPS.items() if own == group), "")
    if not kind:
        return LABELS.get(field, name)
    param = _params(catalog, kind, spec).get(name)
    return name if param is None else param.label


def all_labels(catalog: Catalog | None) -> dict[str, str]:
    """What the form calls every dotted field that it knows, whichever plug-ins a run uses."""
    labels = dict(LABELS)
    for kind, known in _entries(catalog).items() if catalog else ():
        for param in (param for entry in known for param in entry.params):
            labels.setdefault(f"{GROUPS[kind]}.{param.name}", param.label)
    return labels


def value_text(value: Any) -> str:
    """One value as it is typed into the form."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, float) else str(value)


def summary(
    spec: RunSpec, catalog: Catalog | None, leave_out: Container[str] = ()
) -> list[tuple[str, str]]:
    """The settings that matter most, without the dotted fields in `leave_out`."""
    if spec.recorded:
        return [
            ("Method", spec.method),
            ("Network", spec.architecture),
            ("Data", spec.dataset),
        ]
    training = f"{plural(spec.epochs, 'epoch')}, batch {spec.batch_size}, lr {number(spec.lr)}"
    rows = [
        ("Method", _plugin("method", spec, catalog, leave_out)),
        ("Network", _plugin("architecture", spec, catalog, leave_out)),
        ("Data", _plugin("dataset", spec, catalog, leave_out)),
        ("Training", training if spec.trains else "none: the given weights"),
    ]
    return rows if "seed" in leave_out else [*rows, ("Seed", str(spec.seed))]


def setting_rows(spec: RunSpec, catalog: Catalog | None) -> list[tuple[str, str]]:
    """All settings by the form's labels; a parameter of a plug-in begins with a space.

    Of a run that is recorded elsewhere only what its script has said is known.
    """
    if spec.recorded:
        return summary(spec, catalog)
    rows: list[tuple[str, str]] = []
    for kind, group in GROUPS.items():
        name = getattr(spec, kind)
        entry = None if catalog is None else entry_of(catalog, kind, name)
        rows.append((LABELS[kind], name if entry is None else entry.label))
        rows += [
            (f" {label_of(f'{group}.{param}', spec, catalog)}", value_text(value))
            for param, value in getattr(spec, group).items()
        ]
    own = [name for name in LABELS if name != "name" and name not in GROUPS]
    rows += [(LABELS[name], _own_text(name, getattr(spec, name))) for name in own]
    rows.append(("Pixels", pixels_words(spec)))
    rows.append(("Starting weights", starting_weights(spec)))
    return rows


def pixels_words(spec: RunSpec) -> str:
    """How its images are normalised."""
    if not isinstance(spec.normalize, Normalize):
        return "normalised by mean and deviation of the training images"
    mean, std = (", ".join(map(number, part)) for part in vars(spec.normalize).values())
    return f"normalised by mean {mean} and deviation {std}"


def starting_weights(spec: RunSpec) -> str:
    """Where the weights come from."""
    if spec.init is None:
        return "random, from the seed"
    source = spec.init.file or f"run {spec.init.run}"
    if spec.init.pretrained is not None:
        source = f"published, {spec.init.pretrained}"
    if spec.init.plan is not None:
        source += f", {plan_words(spec.init.plan.model_dump())}"
    if spec.distill is not None:
        weight, temperature = number(spec.distill.weight), number(spec.distill.temperature)
        source += f", taught by the network before (weight {weight}, temperature {temperature})"
    if spec.init.classes is not None:
        source += f", outputs chosen by name ({_names(spec.init.classes)})"
    return f"{source}, with a new head" if spec.init.new_head else source


def _names(given: str | tuple[str, ...]) -> str:
    return given if isinstance(given, str) else f"{len(given)} names"


def _own_text(name: str, value: Any) -> str:
    if name == "map_budget":
        return short_share(value) if value else "none"
    if name == "keep_weights_mb":
        return f"{value}{THIN}MB"
    if value == "auto":
        return "Automatic"
    return CHOICES.get(name, {}).get(value) or value_text(value)


def _params(catalog: Catalog | None, kind: str, spec: RunSpec) -> Mapping[str, ParamSpec]:
    declared = () if catalog is None else params_of(catalog, kind, getattr(spec, kind))
    return {param.name: param for param in declared}


def _plugin(kind: str, spec: RunSpec, catalog: Catalog | None, leave_out: Container[str]) -> str:
    """The name of a plug-in with its numbers, and whatever else is not the default."""
    declared = _params(catalog, kind, spec)
    words = [
        _param(declared.get(name), name, value)
        for name, value in getattr(spec, GROUPS[kind]).items()
        if f"{GROUPS[kind]}.{name}" not in leave_out
    ]
    return " ".join(filter(None, [getattr(spec, kind), *words]))


def _param(declared: ParamSpec | None, name: str, value: Any) -> str:
    if isinstance(value, bool):
        return ""
    if isinstance(value, str):
        return value if declared is not None and value != declared.default else ""
    if declared is None:
        return f"{name} {value_text(value)}"
    last = declared.label.split()[-1]  # "λ" of "Strength λ"
    return f"{last if len(last) == 1 else declared.label.lower()} {value_text(value)}"
