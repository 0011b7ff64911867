"""The section on the sweep: chips with several strengths and seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from recede.client import Catalog
from recede_dashboard.components.attributes import attrs
from recede_dashboard.pages.new_run.sections.fields import (
    ORDER,
    field_id,
)
from recede_dashboard.pages.new_run.sections.plugins import one_of
from recede_dashboard.pages.new_run.values import sweep
from recede_dashboard.pages.new_run.values.spec import SWEEP, Key

SPLIT = [",", ";", " "]
SWEPT = "sweep"
"""The panel with the chips of the chosen method's strength."""


def sweep_fields(catalog: Catalog, values: Mapping[Key, Any]) -> list[Component]:
    """Chips of strengths and seeds; hidden until the switch is on."""
    on = bool(values.get(SWEEP))
    strengths = {
        method.name: _chips(sweep.axis_field(spec), method.name, spec.label, values)
        for method in catalog.methods
        if (spec := sweep.swept(method.params)) is not None
    }
    return [
        html.Div(
            [
                html.Div(
                    [
                        *one_of(SWEPT, strengths, values["method", ""]),
                        _chips(sweep.SEED_AXIS, "", "Seeds", values),
                    ],
                    className="form-grid sweep-grid",
                ),
                html.P("", id="run-form-runs", className="form-steps", role="status"),
            ],
            id="run-form-sweep",
            hidden=not on,
        )
    ]


def sweep_switch(values: Mapping[Key, Any]) -> Component:
    """One run, or several at once."""
    switch: Component = dmc.Switch(
        id="run-sweep",
        checked=bool(values.get(SWEEP)),
        size="sm",
        withThumbIndicator=False,
        **attrs(aria_label="Sweep", data_testid="run-sweep"),
    )
    return switch


def _chips(path: str, owner: str, label: str, values: Mapping[Key, Any]) -> Component:
    chips: Component = dmc.TagsInput(
        id=field_id(path, owner),
        label=label,
        value=list(values[path, owner]),
        description="Several values; Enter or a comma adds one.",
        inputWrapperOrder=ORDER,
        splitChars=SPLIT,
        acceptValueOnBlur=True,
        allowDuplicates=True,
        **attrs(data_testid=f"field-{path}-{owner}" if owner else f"field-{path}"),
    )
    return chips
