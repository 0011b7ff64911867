"""Curves over epochs: loss, penalty, accuracy. Pure data to figures.

Each trace says in `meta` which metric it draws, so that the browser can extend it live.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from recede.client import EpochOut

MARKERS_UP_TO = 40
"""With more epochs than this, points would only thicken the line."""


LATER, NEVER = "Appears after epoch 1", "No data"
"""Stand in the place of a curve without a point, for a run that may still get one or not."""


def loss(epochs: Sequence[EpochOut], empty: str = LATER) -> go.Figure:
    """Cross-entropy on training and validation images."""
    traces = [
        _line(epochs, "train_loss", "training"),
        _line(epochs, "val_loss", "validation", dash="dot", role=3),
    ]
    return _figure(traces, "Cross-entropy", "%{y:.4f}", empty)


def penalty(epochs: Sequence[EpochOut], empty: str = LATER) -> go.Figure:
    """What the method adds to the loss."""
    traces = [_line(epochs, "penalty", "penalty", role=1)]
    return _figure(traces, "Penalty", "%{y:.4g}", empty)


def accuracy(epochs: Sequence[EpochOut], empty: str = LATER) -> go.Figure:
    """Share of correct predictions on training and validation images."""
    traces = [
        _line(epochs, "train_accuracy", "training"),
        _line(epochs, "val_accuracy", "validation", dash="dot", role=3),
    ]
    figure = _figure(traces, "Accuracy", "%{y:.2%}", empty)
    figure.update_yaxes(tickformat=".0%")
    return figure


def logged(
    epochs: Sequence[EpochOut], names: Sequence[str], title: str, empty: str = LATER
) -> go.Figure:
    """Metrics that a training elsewhere logs, by their names."""
    traces = [_line(epochs, name, name, role=i, own=True) for i, name in enumerate(names)]
    return _figure(traces, title, "%{y:.5g}", empty)


def _line(
    epochs: Sequence[EpochOut],
    metric: str,
    name: str,
    *,
    dash: str = "solid",
    role: int = 0,
    own: bool = False,
) -> go.Scatter:
    """`own`: the metric is one that a training elsewhere has logged by this name."""
    values = {
        row.epoch: row.metrics.get(metric) if own else getattr(row, metric) for row in epochs
    }
    known = {epoch: value for epoch, value in values.items() if value is not None}
    return go.Scatter(
        x=[*known],
        y=[*known.values()],
        name=name,
        mode="lines+markers" if len(known) <= MARKERS_UP_TO else "lines",
        line={"width": 2, "dash": dash},
        marker={"size": 5},
        cliponaxis=False,  # epoch 0 lies on the axis: its point is drawn whole
        meta={"metric": metric, "role": role, "own": own},
    )


def _figure(traces: list[go.Scatter], title: str, value: str, empty: str) -> go.Figure:
    for trace in traces:
        trace.hovertemplate = f"{trace.name} {value}<extra></extra>"
    layout: dict[str, Any] = {
        "margin": {"l": 8, "r": 12, "t": 8, "b": 8},
        "hovermode": "x unified",
        "showlegend": len(traces) > 1,
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
        "uirevision": "training",
        "xaxis": {"title": {"text": "epoch"}, "rangemode": "tozero", "dtick": None},
        "yaxis": {"rangemode": "tozero", "ticklabelstandoff": 6},
        "template": None,
        "meta": {"title": title},
    }
    figure = go.Figure(traces, layout)
    if not any(trace.x for trace in traces):
        figure.update_layout(**_note(empty))
    return figure


# The browser removes the same with the first row.
def _note(text: str) -> dict[str, Any]:
    note = {"text": text, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False}
    return {
        "annotations": [note],
        "xaxis": {"visible": False},
        "yaxis": {"visible": False},
        "showlegend": False,
    }
