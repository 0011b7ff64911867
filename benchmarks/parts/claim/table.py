"""The table of benchmarks.reproduce: mean ± standard deviation over seeds, CSV and Markdown."""

from __future__ import annotations

import csv
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from benchmarks.parts.claim.campaign import Cell, by_config


@dataclass(frozen=True)
class Row:
    """One configuration at one ratio; accuracies in %, shares of the dense network in %."""

    config: str
    seeds: int
    ratio: float
    macs: float
    params: float
    before_mean: float
    before_std: float | None
    """On validation, of the cut network as it is."""
    after_mean: float | None
    after_std: float | None
    """On validation, after the short training of the cut network."""
    test_mean: float | None
    test_std: float | None
    """On test: of the dense network at ratio 0, else after that training."""
    published: float | None


def rows(cells: Sequence[Cell]) -> list[Row]:
    """One row for each configuration and measured ratio."""
    found = []
    for config, own in by_config(list(cells)):
        curves = [cell.curve for cell in own if cell.curve is not None]
        for place, point in enumerate(curves[0].points):
            at = [curve.points[place] for curve in curves]
            dense = [curve.points[0].cost for curve in curves]
            ratio = round(point.ask, 2)
            tuned = [cell.tuned[ratio] for cell in own if ratio in cell.tuned]
            tested = [cell.dense for cell in own] if place == 0 else tuned
            before = _mean_std([100 * p.accuracy.value for p in at])
            after = _mean_std([100 * r.val_accuracy.value for r in tuned if r.val_accuracy])
            test = _mean_std([100 * r.test_accuracy.value for r in tested if r.test_accuracy])
            found.append(
                Row(
                    config.label,
                    len(own),
                    ratio,
                    _mean([100 * p.cost.macs / d.macs for p, d in zip(at, dense, strict=True)]),
                    _mean(
                        [100 * p.cost.params / d.params for p, d in zip(at, dense, strict=True)]
                    ),
                    *(before[0] or 0.0, before[1]),
                    *after,
                    *test,
                    published=(config.published or {}).get(ratio),
                )
            )
    return found


def write_csv(table: Sequence[Row], path: Path) -> None:
    """All rows at full precision."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in table)


def markdown(table: Sequence[Row], ratios: Sequence[float]) -> str:
    """The rows at some ratios, for people."""
    head = (
        "| configuration | cut | MACs left | parameters left | validation, as cut | "
        "validation, tuned | test, tuned | published |\n|---|---|---|---|---|---|---|---|"
    )
    return "\n".join([head, *[_line(row) for row in table if row.ratio in ratios]])


def _line(row: Row) -> str:
    published = "–" if row.published is None else f"{row.published:.2f}"
    return (
        f"| {row.config} | {row.ratio:.0%} | {row.macs:.1f} % | {row.params:.1f} % | "
        f"{_shown(row.before_mean, row.before_std)} | "
        f"{_shown(row.after_mean, row.after_std)} | {_shown(row.test_mean, row.test_std)} "
        f"| {published} |"
    )


def _shown(mean: float | None, std: float | None) -> str:
    if mean is None:
        return "–"
    return f"{mean:.2f}" + ("" if std is None else f" ± {std:.2f}")


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values)


def _mean_std(values: Sequence[float]) -> tuple[float | None, float | None]:
    if not values:
        return None, None
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None
