"""The figure of benchmarks.reproduce: accuracy against neurons and against multiply-adds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

from benchmarks.parts.claim.table import Row

mpl.use("agg")
COLOURS = ("#0E6B82", "#55B9CE", "#C8701A", "#E3B27C", "#636B73")
MARKERS = ("o", "s", "^", "v", "D")


def draw(table: Sequence[Row], title: str, path: Path) -> None:
    """Lines: as cut, with bands of one standard deviation. Markers: after training on."""
    from matplotlib import pyplot  # noqa: PLC0415 - after the choice of a drawing without screen

    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4.4), sharey=True)
    labels = list(dict.fromkeys(row.config for row in table))
    for place, label in enumerate(labels):
        own = [row for row in table if row.config == label]
        colour, marker = COLOURS[place % 5], MARKERS[place % 5]
        mean = [row.before_mean for row in own]
        low = [row.before_mean - (row.before_std or 0) for row in own]
        high = [row.before_mean + (row.before_std or 0) for row in own]
        tuned = [row for row in own if row.after_mean is not None]
        for axis, name in zip(axes, ("ratio", "macs"), strict=True):
            x = [_x(row, name) for row in own]
            axis.plot(x, mean, color=colour, label=f"{label}, as cut")
            axis.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
            axis.errorbar(
                [_x(row, name) for row in tuned],
                [row.after_mean or 0 for row in tuned],
                [row.after_std or 0 for row in tuned],
                color=colour,
                marker=marker,
                linestyle="none",
                capsize=2,
            )
    axes[0].set(xlabel="neurons removed, %", ylabel="validation accuracy, %")
    axes[1].set(xlabel="multiply-adds left, % of the dense network")
    axes[1].invert_xaxis()
    for axis in axes:
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].legend(fontsize=8, frameon=False, loc="lower left")
    figure.suptitle(title, fontsize=10)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _x(row: Row, name: str) -> float:
    return 100 * row.ratio if name == "ratio" else row.macs
