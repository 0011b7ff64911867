"""The latency job: dense and cut network in turns on this device, and the search for a target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from recede.contract.cut.selection import Selection
from recede.contract.spec.run import LatencyPayload, Plan
from recede.store.database import clock
from recede.store.results import latencies
from recede_worker.core.device.latency import measure_in_turns
from recede_worker.engine.evaluation.trained_epoch import Subject, load_subject
from recede_worker.engine.job.context import JobContext, Outcome
from recede_worker.process.machine import cpu_name

BATCHES = (1, 64)
LIMIT_S = 3.0
"""About this long the two networks are measured at one batch size."""
MOST = 0.9999
"""The largest ratio asked for: then every layer is at its minimum."""
CLOSE = 0.005
"""The search ends when the ratio is known to this."""

Values = dict[str, Any]


def run_latency(context: JobContext) -> Outcome:
    """Measure one cut beside the dense network, or look for a cut that is fast enough."""
    payload = LatencyPayload.model_validate(context.lease.payload)
    subject = load_subject(context, payload.plan.epoch)
    if payload.target_ms is not None:
        return Outcome(_search(subject, payload.plan, payload.target_ms, payload.batch))
    return Outcome({"items": measure_pair(subject, subject.select(payload.plan))})


def measure_pair(
    subject: Subject, selection: Selection, batches: Sequence[int] = BATCHES
) -> list[Values]:
    """Rows of the dense and the cut network for each batch size, measured in turns and stored.

    Each has digest, ratio (share removed; 0 is the dense network), dense, device (its name),
    threads, batch, median_ms, p95_ms, n and busy.

    Raises:
        Cancelled, Interrupted: the job should stop.
        LeaseLost: the job was taken over.
    """
    context = subject.context
    whole = everything(subject)
    networks = [(whole, subject.cut(whole))]
    if selection.digest != whole.digest:
        networks.append((selection, subject.cut(selection)))
    measured: list[Values] = []
    for done, batch in enumerate(batches):
        context.progress(
            "measuring", done, len(batches), "batch sizes", message=f"latency at batch {batch}"
        )
        measured += _measure(subject, networks, batch)
    return measured


def everything(subject: Subject) -> Selection:
    """The choice that keeps every channel."""
    shape = subject.network.shape
    return Selection(np.ones(shape.n_neurons, np.bool_), tuple(shape.sizes), ())


def _measure(
    subject: Subject, networks: Sequence[tuple[Selection, nn.Module]], batch: int
) -> list[Values]:
    context = subject.context
    with context.store.read() as session:
        since = clock.now(session)
    found = measure_in_turns(
        [model for _, model in networks],
        subject.network.shape.input_shape,
        batch,
        context.device,
        limit_s=LIMIT_S,
        between=context.check,
    )
    rows: list[Values] = []
    with context.write() as session:
        busy = latencies.others_ran(session, context.lease.job_id, since)
        for (selection, _), latency in zip(networks, found, strict=True):
            rows.append(
                {
                    **vars(latency),
                    "device": device_name(context.device),
                    "digest": selection.digest,
                    "ratio": selection.ratio,
                    "busy": busy,
                }
            )
        latencies.put(session, context.lease.run_id, rows)
    for row in rows:
        context.log(
            f"{row['ratio']:.1%} removed, batch {batch}: {row['median_ms']:.3f} ms "
            f"(95 % under {row['p95_ms']:.3f} ms, {row['n']} passes)"
        )
    return [{**row, "dense": row["ratio"] == 0} for row in rows]


def _search(subject: Subject, plan: Plan, target_ms: float, batch: int) -> Values:
    """The smallest ratio that is fast enough, by halving; every step is measured and kept.

    Latency hardly ever rises with the ratio, but in steps: what was measured decides, not what
    was assumed between two measurements.
    """
    tried: list[Values] = []

    def at(ratio: float) -> Values:
        asked = plan.model_copy(update={"ratio": ratio, "threshold": None})
        selection = subject.select(asked)
        for known in tried:
            if known["digest"] == selection.digest:
                return known
        shared = {"digest": selection.digest, "ask": ratio}
        subject.context.progress(
            "measuring", len(tried), 10, "ratios", message=f"latency at ratio {ratio:.3f}"
        )
        row = measure_pair(subject, selection, [batch])[-1]
        tried.append({**row, **shared})
        return tried[-1]

    first, last = at(0.0), at(MOST)
    low, high = 0.0, MOST
    while first["median_ms"] > target_ms >= last["median_ms"] and high - low > CLOSE:
        middle = (low + high) / 2
        if at(middle)["median_ms"] <= target_ms:
            high = middle
        else:
            low = middle
    return _answer(plan, tried, target_ms)


def _answer(plan: Plan, tried: Sequence[Values], target_ms: float) -> Values:
    """The least cut that was fast enough, else the fastest of all."""
    enough = [row for row in tried if row["median_ms"] <= target_ms]
    best = (
        min(enough, key=lambda row: float(row["ratio"]))
        if enough
        else min(tried, key=lambda row: float(row["median_ms"]))
    )
    chosen = plan.model_copy(update={"ratio": best["ask"], "threshold": None})
    names = ("median_ms", "p95_ms", "batch", "device", "threads", "digest", "ratio")
    return {
        "plan": chosen.model_dump(mode="json"),
        "reached": bool(enough),
        "target_ms": target_ms,
        **{name: best[name] for name in names},
        "busy": any(row["busy"] for row in tried),
        "tried": list(tried),
    }


def device_name(device: torch.device) -> str:
    """The name of the processor or GPU that figures depend on."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return cpu_name()
