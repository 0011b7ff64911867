"""Figures of a group: accuracy over the share cut, and the accuracy of each run. Pure.

Each trace says in `meta` which step of the colour ramp it has; the browser paints it in the
colours of the scheme.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go

SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star", "hexagon", "bowtie")
_GRID = 41
_FADED = 0.38


@dataclass(frozen=True)
class RunPoint:
    """What is known of one run of a group."""

    run_id: str
    name: str
    step: int
    """Row of the group's summary: runs that differ in the seed alone share it."""
    label: str
    seed: int
    ratios: Sequence[float] = field(default_factory=tuple)
    """Share of the neurons cut, ascending."""
    accuracies: Sequence[float] = field(default_factory=tuple)
    """Validation accuracy after each cut, before any fine-tuning."""
    lossless: float | None = None
    test_accuracy: float | None = None


def curves(points: Sequence[RunPoint], steps: int) -> go.Figure:
    """Accuracy over the share cut: a thin line for each seed, a thick one for their mean."""
    traces: list[go.Scatter] = []
    for step in range(steps):
        own = [one for one in points if one.step == step and len(one.ratios) > 1]
        traces += [_thin(one, steps, alone=len(own) == 1) for one in own]
        if len(own) > 1:
            traces.append(_mean(own, steps))
    figure = go.Figure(traces, _layout("share of neurons removed", "x unified"))
    figure.update_yaxes(tickformat=".0%", title={"text": "validation accuracy"})
    figure.update_xaxes(tickformat=".0%", rangemode="tozero")
    return _or_words(figure, "Appears when the first run has finished")


def dots(points: Sequence[RunPoint], steps: int) -> go.Figure:
    """Test accuracy of the uncut network over the share that can be cut without loss."""
    traces = []
    for step in range(steps):
        own = [
            one
            for one in points
            if one.step == step and one.lossless is not None and one.test_accuracy is not None
        ]
        if own:
            traces.append(_dots(own, steps))
    figure = go.Figure(traces, _layout("lossless cut (share of neurons)", "closest"))
    figure.update_yaxes(tickformat=".1%", title={"text": "test accuracy"})
    figure.update_xaxes(tickformat=".0%")
    return _or_words(figure, "Appears when the first run has finished")


def mean_curve(points: Sequence[RunPoint]) -> tuple[list[float], list[float]]:
    """Mean accuracy of several curves, each interpolated linearly up to where all reach."""
    reach = min(max(one.ratios) for one in points)
    grid = np.linspace(0, reach, _GRID)
    rows = [np.interp(grid, one.ratios, one.accuracies) for one in points]
    return [float(x) for x in grid], [float(y) for y in np.mean(rows, axis=0)]


def _thin(one: RunPoint, steps: int, *, alone: bool) -> go.Scatter:
    return go.Scatter(
        x=list(one.ratios),
        y=list(one.accuracies),
        name=one.label,
        legendgroup=one.label,
        showlegend=alone,
        mode="lines",
        opacity=1 if alone else _FADED,
        line={"width": 2.2 if alone else 1.2},
        hovertemplate=f"{one.label}, seed {one.seed} %{{y:.2%}}<extra></extra>",
        hoverinfo=None if alone else "skip",
        meta={"step": one.step, "steps": steps, "run_id": one.run_id},
    )


def _mean(own: Sequence[RunPoint], steps: int) -> go.Scatter:
    x, y = mean_curve(own)
    first = own[0]
    return go.Scatter(
        x=x,
        y=y,
        name=first.label,
        legendgroup=first.label,
        mode="lines+markers",
        line={"width": 2.6},
        marker={"symbol": _symbol(first.step), "size": 8, "maxdisplayed": 9},
        hovertemplate=f"{first.label}, mean of {len(own)} %{{y:.2%}}<extra></extra>",
        meta={"step": first.step, "steps": steps, "mean": True},
    )


def _dots(own: Sequence[RunPoint], steps: int) -> go.Scatter:
    first = own[0]
    return go.Scatter(
        x=[one.lossless for one in own],
        y=[one.test_accuracy for one in own],
        name=first.label,
        mode="markers",
        marker={"symbol": _symbol(first.step), "size": 11},
        customdata=[[one.run_id, one.seed, one.name] for one in own],
        hovertemplate=(
            f"{first.label}, seed %{{customdata[1]}}<br>test %{{y:.2%}}, "
            "lossless cut %{x:.0%}<extra></extra>"
        ),
        meta={"step": first.step, "steps": steps},
    )


def _symbol(step: int) -> str:
    return SYMBOLS[step % len(SYMBOLS)]


def _layout(x_title: str, hovermode: str) -> dict[str, Any]:
    return {
        "margin": {"l": 8, "r": 12, "t": 8, "b": 8},
        "hovermode": hovermode,
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "uirevision": "group",
        "xaxis": {"title": {"text": x_title}},
        "template": None,
    }


def _or_words(figure: go.Figure, words: str) -> go.Figure:
    """The figure, or a sentence in its place while there is nothing to draw."""
    if figure.data:
        return figure
    note = {
        "text": words,
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0.5,
        "showarrow": False,
    }
    figure.update_layout(annotations=[note], xaxis_visible=False, yaxis_visible=False)
    return figure
