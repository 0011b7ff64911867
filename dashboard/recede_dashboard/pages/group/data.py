"""The data of a group's figures: the curve of each run, fetched concurrently."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from recede.client import (
    ApiError,
    AsyncRecedeClient,
    GroupOut,
    RunOut,
)
from recede_dashboard.figures import group as draw
from recede_dashboard.pages.group import words


async def points(
    client: AsyncRecedeClient, group: GroupOut, labels: Mapping[str, str]
) -> list[draw.RunPoint]:
    """What is known of each run; a curve that cannot be read is left out."""
    return list(await asyncio.gather(*(_point(client, group, run, labels) for run in group.runs)))


async def _point(
    client: AsyncRecedeClient, group: GroupOut, run: RunOut, labels: Mapping[str, str]
) -> draw.RunPoint:
    step = words.step_of(group, run)
    values = group.summary[step].values if step >= 0 else {}
    pairs: list[tuple[float, float]] = []
    if run.epochs_done:
        try:
            curve = await client.curve(run.id)
        except ApiError:
            curve = None
        if curve is not None:
            kept = curve.points
            pairs = sorted((point.ratio, point.accuracy.value) for point in kept)
    return draw.RunPoint(
        run_id=run.id,
        name=run.name,
        step=step,
        label=words.values_words(values, labels),
        seed=run.spec.seed,
        ratios=[ratio for ratio, _ in pairs],
        accuracies=[accuracy for _, accuracy in pairs],
        lossless=run.lossless_ratio,
        test_accuracy=None if run.test_accuracy is None else run.test_accuracy.value,
    )


async def figures(
    client: AsyncRecedeClient, group: GroupOut, labels: Mapping[str, str]
) -> dict[str, Any]:
    """Both figures as plain data, to be painted in the browser."""
    known = await points(client, group, labels)
    steps = len(group.summary)
    return {
        "curves": draw.curves(known, steps).to_plotly_json(),
        "dots": draw.dots(known, steps).to_plotly_json(),
    }
