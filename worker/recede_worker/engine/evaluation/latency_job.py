"""The latency job: dense and cut network in turns on this device, and the search for a target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from recede.contract.cut.selection import Selection
from recede.contract.spec.run import LatencyPayload, Plan
from recede.store.database import clock
from recede.store.results import latencies
from recede_worker.core.device.latency import measure_in_turns
from recede_worker.engine.evaluation.ranking import select_channels
from recede_worker.engine.evaluation.trained_epoch import TrainedEpoch
from recede_worker.engine.job.handle import JobHandle, Outcome
from recede_worker.process.machine import cpu_name

BATCHES = (1, 64)
LIMIT_S = 3.0
"""The two networks are measured for about this long at one batch size."""
MOST = 0.9999
"""The largest ratio that is tried: every layer is at its minimum there."""
CLOSE = 0.005
"""The search ends when the ratio is known to this."""

Values = dict[str, Any]


def run_latency(job: JobHandle, trained: TrainedEpoch, payload: LatencyPayload) -> Outcome:
    """Measure one cut beside the dense network, or search for a cut that is fast enough."""
    if payload.target_ms is not None:
        return Outcome(_search(job, trained, payload.plan, payload.target_ms, payload.batch))
    selection = select_channels(job, trained, payload.plan)
    return Outcome({"items": measure_pair(job, trained, selection)})


def measure_pair(
    job: JobHandle,
    trained: TrainedEpoch,
    selection: Selection,
    batches: Sequence[int] = BATCHES,
) -> list[Values]:
    """Rows of the dense and the cut network for each batch size, measured in turns and stored.

    Each has digest, ratio (share removed; 0 is the dense network), dense, device (its name),
    threads, batch, median_ms, p95_ms, n and busy.

    Raises:
        Cancelled, Interrupted: the job should stop.
        LeaseLost: the job was taken over.
    """
    whole = trained.whole()
    networks = [(whole, trained.cut(whole))]
    if selection.digest != whole.digest:
        networks.append((selection, trained.cut(selection)))
    measured: list[Values] = []
    for done, batch in enumerate(batches):
        job.progress(
            "measuring", done, len(batches), "batch sizes", message=f"latency at batch {batch}"
        )
        measured += _measure(job, trained, networks, batch)
    return measured


def _measure(
    job: JobHandle,
    trained: TrainedEpoch,
    networks: Sequence[tuple[Selection, nn.Module]],
    batch: int,
) -> list[Values]:
    with job.read() as session:
        since = clock.now(session)
    found = measure_in_turns(
        [model for _, model in networks],
        trained.network.shape.input_shape,
        batch,
        trained.device,
        limit_s=LIMIT_S,
        between=job.check,
    )
    rows: list[Values] = []
    with job.write() as session:
        busy = latencies.others_ran(session, job.lease.job_id, since)
        for (selection, _), latency in zip(networks, found, strict=True):
            rows.append(
                {
                    **vars(latency),
                    "device": device_name(trained.device),
                    "digest": selection.digest,
                    "ratio": selection.ratio,
                    "busy": busy,
                }
            )
        latencies.put(session, job.run_id, rows)
    for row in rows:
        job.log(
            f"{row['ratio']:.1%} removed, batch {batch}: {row['median_ms']:.3f} ms "
            f"(95 % under {row['p95_ms']:.3f} ms, {row['n']} passes)"
        )
    return [{**row, "dense": row["ratio"] == 0} for row in rows]


def _search(
    job: JobHandle, trained: TrainedEpoch, plan: Plan, target_ms: float, batch: int
) -> Values:
    """The smallest ratio that is fast enough, by bisection; every measurement is stored.

    Latency falls with the ratio, though in steps and not always: what was measured decides, not
    what was assumed between two measurements.
    """
    tried: list[Values] = []

    def at(ratio: float) -> Values:
        wanted = plan.model_copy(update={"ratio": ratio, "threshold": None})
        selection = select_channels(job, trained, wanted)
        for known in tried:
            if known["digest"] == selection.digest:
                return known
        shared = {"digest": selection.digest, "ask": ratio}
        job.progress(
            "measuring", len(tried), 10, "ratios", message=f"latency at ratio {ratio:.3f}"
        )
        row = measure_pair(job, trained, selection, [batch])[-1]
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
    return _result(plan, tried, target_ms)


def _result(plan: Plan, tried: Sequence[Values], target_ms: float) -> Values:
    """The smallest cut that was fast enough, else the fastest of all."""
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
