"""Data set, network and method: a select for each kind, and the panel of what is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from recede.client import (
    ArchitectureInfo,
    Catalog,
    DatasetInfo,
    MethodInfo,
    ParamSpec,
)
from recede_dashboard.components.attributes import attrs
from recede_dashboard.pages.new_run.sections.fields import field_id, param_field
from recede_dashboard.pages.new_run.values.advice import fit_text, fits
from recede_dashboard.pages.new_run.values.spec import Key
from recede_dashboard.words.numbers import integer, plural, size
from recede_dashboard.words.specs import GROUPS, LABELS

Entry = ArchitectureInfo | DatasetInfo | MethodInfo

STATUS = {
    "ready": "Ready.",
    "missing": "Missing.",
    "unreadable": "Cannot be read.",
}
OPTION: Any = {"function": "pluginOption"}
"""Draws an option with a note at its right, in the browser."""


def entries_by_kind(catalog: Catalog) -> list[tuple[str, Sequence[Entry]]]:
    """Kinds of plug-ins in the order in which they are chosen."""
    return [
        ("dataset", catalog.datasets),
        ("architecture", catalog.architectures),
        ("method", catalog.methods),
    ]


def plugin_fields(
    catalog: Catalog, values: Mapping[Key, Any], dataset: DatasetInfo | None
) -> list[Component]:
    """All selects with the panels of what is chosen."""
    return [_plugin(kind, entries, values, dataset) for kind, entries in entries_by_kind(catalog)]


def _plugin(
    kind: str,
    entries: Sequence[Entry],
    values: Mapping[Key, Any],
    dataset: DatasetInfo | None,
) -> Component:
    chosen = values[kind, ""]
    select = dmc.Select(
        id=field_id(kind),
        label=LABELS[kind],
        data=options(entries, dataset),
        value=chosen,
        allowDeselect=False,
        searchable=True,
        openOnFocus=False,
        nothingFoundMessage="No match",
        checkIconPosition="right",
        maxDropdownHeight=420,
        renderOption=OPTION,
        **attrs(data_testid=f"field-{kind}"),
    )
    panels: dict[str, Component] = {
        entry.name: html.Div(
            [_note(entry, dataset), _params(kind, entry, values)], className="plugin-panel"
        )
        for entry in entries
    }
    return html.Div([select, *one_of(kind, panels, chosen)], className="plugin")


def one_of(kind: str, panels: dict[str, Component], chosen: str) -> list[Component]:
    """The place of one panel, and all panels by owner, of which the browser puts one there.

    A field costs the browser more than ten milliseconds, and most belong to what is not chosen.
    """
    return [
        html.Div(panels.get(chosen), id=f"run-panel-{kind}"),
        dcc.Store(id=f"run-panels-{kind}", data=panels),
    ]


def _params(kind: str, entry: Entry, values: Mapping[Key, Any]) -> Component:
    group = GROUPS[kind]
    fields = [
        param_field(
            spec,
            group,
            entry.name,
            values[f"{group}.{spec.name}", entry.name],
            suggestions=suggestions(entry, spec),
        )
        for spec in entry.params
    ]
    return html.Div(fields, className="form-grid")


def suggestions(entry: Entry, spec: ParamSpec) -> list[str]:
    """What a text parameter of a data set may name: the folders found under the data roots."""
    if spec.kind != "text" or not isinstance(entry, DatasetInfo):
        return []
    return [variant.name for variant in entry.variants]


def options(entries: Sequence[Entry], dataset: DatasetInfo | None) -> list[Any]:
    """Choices of a select; networks that cannot take the data set's images come last."""
    if dataset is None or not entries or not isinstance(entries[0], ArchitectureInfo):
        return [_option(entry) for entry in entries]
    networks = [entry for entry in entries if isinstance(entry, ArchitectureInfo)]
    groups = ([], []) if not networks else _by_fit(networks, dataset.image_size)
    if not groups[0] or not groups[1]:
        return [_option(entry) for entry in entries]
    words = f"{dataset.image_size} × {dataset.image_size} images"
    return [
        {"group": f"Accept {words}", "items": groups[0]},
        {"group": f"Do not accept {words}", "items": groups[1]},
    ]


def _by_fit(
    entries: Sequence[ArchitectureInfo], image_size: int
) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    fitting = [_option(entry) for entry in entries if fits(entry, image_size)]
    others = [_option(entry) for entry in entries if not fits(entry, image_size)]
    return fitting, others


def _option(entry: Entry) -> dict[str, str]:
    note = ""
    if isinstance(entry, ArchitectureInfo):
        note = f"{entry.min_image}–{entry.max_image} px"
    elif isinstance(entry, DatasetInfo):
        note = size(entry.download_bytes) if entry.status == "download" else entry.status
        note = f"download, {note}" if entry.status == "download" else note
    return {"value": entry.name, "label": entry.label, "note": note}


def _note(entry: Entry, dataset: DatasetInfo | None) -> Component:
    if isinstance(entry, DatasetInfo):
        return dataset_note(entry)
    note = plugin_note(entry)
    if isinstance(entry, MethodInfo):
        return note
    text, fit = fit_text(entry, dataset)
    line = html.Div(
        text,
        id={"type": "run-fit", "owner": entry.name},
        className="plugin-fit",
        **attrs(data_fit=str(fit).lower()),
    )
    return html.Div([note, line])


def dataset_note(entry: DatasetInfo) -> Component:
    """Status of a data set in words: ready, what will be downloaded, or what is missing."""
    words = STATUS.get(entry.status, f"The first run downloads {size(entry.download_bytes)}.")
    return html.Div(
        [
            html.Span(words, className="status-word", **attrs(data_status=entry.status)),
            html.Span(f" {_sentence(entry.detail)} {_facts(entry)}"),
        ],
        className="plugin-note",
    )


def _facts(entry: DatasetInfo) -> str:
    if not entry.n_train:  # known only once a folder is chosen
        return ""
    size = f"{entry.image_size} × {entry.image_size}"
    return f"{_images(entry)}, {size}, {plural(entry.classes, 'class', 'classes')}."


def folder_note(dataset: DatasetInfo) -> list[Component]:
    """Facts of the folder that was chosen, in one line."""
    images = _images(dataset)
    if not dataset.n_test:
        images = f"{plural(dataset.n_train, 'training image')}, with test images split off"
    found = f"{plural(dataset.classes, 'class', 'classes')}, {images}."
    status = STATUS.get(dataset.status, "")
    return [
        html.Span(
            [
                html.Span(status, className="status-word", **attrs(data_status=dataset.status)),
                f" {found} {_sentence(dataset.detail)}",
            ]
        )
    ]


def _images(entry: DatasetInfo) -> str:
    return f"{integer(entry.n_train)} training and {plural(entry.n_test, 'test image')}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}." if text else ""


def plugin_note(entry: ArchitectureInfo | MethodInfo) -> Component:
    """What a network or method is."""
    return html.Div(entry.help, className="plugin-note")
