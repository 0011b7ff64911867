"""The Training tab: what happens now, curves over epochs, settings, the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from recede.client import (
    EpochOut,
    RunOut,
    RunSpec,
)
from recede_dashboard.components.attributes import attrs
from recede_dashboard.components.charts import chart
from recede_dashboard.components.icons import icon
from recede_dashboard.components.tables import facts
from recede_dashboard.figures import training as figures
from recede_dashboard.pages.new_run.values.start import plan_words
from recede_dashboard.pages.run.report import data_report
from recede_dashboard.words.numbers import number

LIVE = (
    ("epoch", "Epoch"),
    ("batch", "Batch"),
    ("loss", "Loss"),
    ("accuracy", "Training accuracy"),
    ("penalty", "Penalty"),
    ("speed", "Images per second"),
    ("eta", "Time left"),
)
RESULT = (
    ("epochs", "Epochs"),
    ("best", "Best epoch"),
    ("test", "Test accuracy"),
    ("validation", "Validation accuracy"),
    ("lossless", "Lossless cut"),
    ("took", "Took"),
)


def training(
    run: RunOut, epochs: Sequence[EpochOut], compared: Component | None = None
) -> Component:
    """Filled at first by the server, then kept live by assets/js/run.js and log.js.

    `compared` is the table of a fine-tuning before and after.
    """
    return html.Div(
        [
            dcc.Store(id="epoch-rows", data=[row.model_dump() for row in epochs]),
            dcc.Store(id="log-attached"),
            dcc.Store(id="report-tick"),
            dcc.Store(id="comparison-tick"),
            _strip("live-strip", LIVE),
            _strip("result-strip", RESULT),
            html.Div(compared, id="comparison-slot", className="comparison-slot"),
            html.Div(
                [
                    chart("loss-chart", "Loss", figures.loss(epochs)),
                    chart(
                        "penalty-chart", "Penalty", figures.penalty(epochs), "added to the loss"
                    ),
                    chart("accuracy-chart", "Accuracy", figures.accuracy(epochs)),
                ],
                className="chart-row",
            ),
            html.Div(data_report(run.data_report), id="report-slot", className="report-slot"),
            html.Div([_log(), _config(run)], className="log-and-config"),
        ],
        className="training",
        **attrs(data_testid="training"),
    )


def _strip(id_: str, tiles: Sequence[tuple[str, str]]) -> Component:
    return html.Div(
        [
            html.Div(
                [
                    html.Div(label, className="label"),
                    html.Div("–", id=f"tile-{name}", className="tile-value"),
                    html.Div("", id=f"tile-{name}-note", className="tile-note"),
                    html.Div(id=f"tile-{name}-bar", className="tile-bar"),
                ],
                className="tile",
                **attrs(data_testid=f"tile-{name}"),
            )
            for name, label in tiles
        ],
        id=id_,
        className="strip",
        hidden=True,
    )


def config_rows(run: RunOut) -> list[tuple[str, str]]:
    """The settings of a run by their names."""
    spec = run.spec
    rows: list[tuple[str, str]] = [
        ("Data set", spec.dataset),
        *_params(spec.dataset_params),
        ("Network", spec.architecture),
        *_params(spec.architecture_params),
        ("Method", spec.method),
        *_params(spec.method_params),
        ("Epochs", str(spec.epochs)),
        ("Batch size", str(spec.batch_size)),
        ("Learning rate", number(spec.lr)),
        ("Seed", str(spec.seed)),
        ("Validation share", number(spec.val_fraction)),
        ("Device", spec.device),
        ("Schedule", spec.schedule),
        ("Warm-up epochs", str(spec.warmup_epochs)),
        ("Label smoothing", number(spec.label_smoothing)),
        ("Precision", spec.precision),
        ("Compiled", "yes" if spec.compile else "no"),
        ("Processes", str(spec.processes)),
        ("Starting weights", starting_text(spec)),
        ("Prunable", PRUNABLE[spec.prunable]),
        ("Time for the map", f"{100 * spec.map_budget:g} %" if spec.map_budget else "none"),
        ("Disk for earlier weights", f"{spec.keep_weights_mb} MB"),
    ]
    return rows


PRUNABLE = {"inner": "inner channels", "all": "all channels, also joined ones"}


def starting_text(spec: RunSpec) -> str:
    """Where the weights come from, in words."""
    if spec.init is None:
        return "drawn from the seed"
    source = spec.init.file or f"run {spec.init.run}"
    if spec.init.plan is not None:
        source += f", {plan_words(spec.init.plan.model_dump())}"
    return f"{source}, with a new head" if spec.init.new_head else source


def _params(params: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (f"  {name}", number(value) if isinstance(value, float) else str(value))
        for name, value in params.items()
    ]


def _config(run: RunOut) -> Component:
    return html.Section(
        [html.H3("Settings of this run"), facts(config_rows(run))],
        className="card config",
        **attrs(data_testid="config"),
    )


def _log() -> Component:
    return html.Section(
        [
            html.Div(
                [
                    html.H3("Log"),
                    dmc.Select(
                        id="log-job",
                        data=[],
                        allowDeselect=False,
                        size="xs",
                        w=150,
                        **attrs(aria_label="Whose log"),
                    ),
                    dmc.TextInput(
                        id="log-filter",
                        value="",
                        placeholder="Only lines with…",
                        size="xs",
                        w=170,
                        **attrs(aria_label="Show only lines with this text"),
                    ),
                    html.Span("", id="log-count", className="label log-count", role="status"),
                    _log_button("error", "alert", "First error"),
                    _log_button("pause", "pause", "Pause"),
                    _log_button("follow", "follow", "Follow"),
                    html.A(
                        [icon("down"), "Download"],
                        id="log-download",
                        className="btn btn-small",
                        href="",
                        **attrs(download="", data_testid="log-download"),
                    ),
                ],
                className="log-head",
            ),
            html.Div(
                id="log-lines",
                className="log-lines",
                role="log",
                tabIndex=0,
                **attrs(aria_label="Lines of the log", aria_live="off", data_testid="log-lines"),
            ),
        ],
        className="card log",
    )


def _log_button(name: str, glyph: str, label: str) -> Component:
    return html.Button(
        [icon(glyph), label],
        id=f"log-{name}",
        className="btn btn-small",
        type="button",
        **attrs(data_action=f"log-{name}", aria_pressed="false"),
    )
