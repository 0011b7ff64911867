"""The Training tab: what happens now, curves over epochs, settings, the log."""

from __future__ import annotations

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from recede.client import Catalog, EpochOut, RunOut
from recede_dashboard.components.attributes import attrs
from recede_dashboard.components.charts import chart
from recede_dashboard.components.icons import icon
from recede_dashboard.components.tables import facts
from recede_dashboard.figures import training as figures
from recede_dashboard.pages.run.report import data_report
from recede_dashboard.words.specs import setting_rows

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
    ("took", "Duration"),
)

RECORDED = (
    ("epochs", "Epochs"),
    ("best", "Best epoch"),
    ("metric", "At the best epoch"),
    ("took", "Duration"),
)
"""Of a training elsewhere, whose progress within an epoch is not known."""
IN_LOSS = ("train_loss", "val_loss")
"""Metrics of such a training that the chart of the loss draws."""


def training(
    run: RunOut,
    epochs: Sequence[EpochOut],
    catalog: Catalog | None = None,
    compared: Component | None = None,
) -> Component:
    """Filled at first by the server, then kept up to date by the browser.

    `catalog` has the labels of parameters; `compared` is the table of a fine-tuning.
    """
    empty = figures.NEVER if run.finished_at is not None else figures.LATER
    return html.Div(
        [
            dcc.Store(id="epoch-rows", data=[row.model_dump() for row in epochs]),
            dcc.Store(id="log-attached"),
            dcc.Store(id="report-tick"),
            dcc.Store(id="comparison-tick"),
            _strip("live-strip", LIVE),
            _strip("result-strip", RESULT if run.recording is None else RECORDED),
            html.Div(compared, id="comparison-slot", className="comparison-slot"),
            html.Div(_charts(run, epochs, empty), className="chart-row"),
            html.Div(data_report(run.data_report), id="report-slot", className="report-slot"),
            html.Div(
                [_log() if run.recording is None else None, _config(run, catalog)],
                className="log-and-config",
            ),
        ],
        className="training",
        **attrs(data_testid="training"),
    )


def _charts(run: RunOut, epochs: Sequence[EpochOut], empty: str) -> list[Component]:
    """Loss, penalty and accuracy; of a training elsewhere its own metrics in their places."""
    loss = chart("loss-chart", "Loss", figures.loss(epochs, empty))
    if run.recording is None:
        penalty = figures.penalty(epochs, empty)
        return [
            loss,
            chart("penalty-chart", "Penalty", penalty, "added to the loss"),
            chart("accuracy-chart", "Accuracy", figures.accuracy(epochs, empty)),
        ]
    metric = run.recording.metric
    taken = {*IN_LOSS} if metric is None else {*IN_LOSS, metric.name}
    others = sorted({name for row in epochs for name in row.metrics} - taken)
    charts = [
        loss,
        chart("penalty-chart", "Other metrics", figures.logged(epochs, others, "", empty)),
    ]
    if metric is None:
        return charts
    note = f"{'higher' if metric.higher_is_better else 'lower'} is better"
    main = figures.logged(epochs, [metric.name], " ".join([metric.name, metric.unit]), empty)
    return [chart("accuracy-chart", metric.name, main, note), *charts]


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


def _config(run: RunOut, catalog: Catalog | None) -> Component:
    return html.Section(
        [html.H3("Settings of this run"), facts(setting_rows(run.spec, catalog))],
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
                        **attrs(aria_label="Job whose log is shown"),
                    ),
                    dmc.TextInput(
                        id="log-filter",
                        value="",
                        placeholder="Filter lines…",
                        size="xs",
                        w=170,
                        **attrs(aria_label="Filter log lines"),
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
                **attrs(aria_label="Log lines", aria_live="off", data_testid="log-lines"),
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
