"""Measuring one cut: from the request to the first estimate and to the whole split.

    python -m benchmarks.evaluate [N]

Claim: a person who lets the threshold go sees an estimate in under 300 ms. Baseline: the same
service with a fresh process for each job, which loads images and network and traces it anew
(RECEDE_KEEP_S=0). Both services run side by side on copies of one trained run and are asked in
turns, each time for a cut that nobody has measured; what counts is when a client hears of it
over the event stream. The first request of each, which finds nothing warm, is told apart.
"""

from __future__ import annotations

import os
import queue
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.parts.report import machine
from benchmarks.parts.service import service
from recede.client import ApiError, RecedeClient
from recede.contract.spec.run import Plan, RunSpec

N = 40
PATIENCE_S = 120.0
KEEP = "RECEDE_KEEP_S"
SPEC = RunSpec(
    dataset="fashion-mnist",
    architecture="vgg11",
    architecture_params={"width": 0.25},
    method="rni",
    method_params={"lam": 0.05, "shift": 3.0},
    epochs=2,
    batch_size=128,
)


@dataclass
class Asked:
    """A client with its event stream, and what it has waited for so far, in seconds."""

    name: str
    client: RecedeClient
    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    images: list[int] = field(default_factory=list)
    heard: queue.SimpleQueue[tuple[float, str, int | None, dict[str, object]]] = field(
        default_factory=queue.SimpleQueue
    )

    def listen(self) -> None:
        """Note each event with the time at which it came, until the client is closed."""
        with suppress(ApiError, RuntimeError):
            for event in self.client.events():
                job = event.data.get("job_id")
                self.heard.put((time.perf_counter(), event.type, job, event.data))

    def ask(self, run_id: str, ratio: float) -> None:
        """Ask for one cut and wait for its estimate and its end."""
        started = time.perf_counter()
        job = self.client.evaluate(run_id, Plan(ratio=ratio)).job
        if job is None:
            return  # this very cut was measured before: another ratio asked for it
        first = None
        while True:
            at, type_, job_id, data = self.heard.get(timeout=PATIENCE_S)
            if job_id != job.id:
                continue
            known = data.get("accuracy")
            if type_ == "progress" and isinstance(known, dict) and first is None:
                first = at - started
                self.images.append(int(known["n"]))
            if type_ == "job" and data["state"] in ("succeeded", "failed", "cancelled"):
                if data["state"] != "succeeded":
                    raise SystemExit(f"job {job.id} {data['state']}: {data['error']}")
                self.whole.append(at - started)
                self.first.append(at - started if first is None else first)
                return


@contextmanager
def listening(name: str, data: Path, keep_s: str | None) -> Iterator[Asked]:
    """A service over that folder, and a client that hears its events."""
    before = os.environ.get(KEEP)
    if keep_s is not None:
        os.environ[KEEP] = keep_s
    with ExitStack() as stack:
        client = stack.enter_context(service(data))
        os.environ.pop(KEEP, None)
        if before is not None:
            os.environ[KEEP] = before
        asked = Asked(name, client)
        threading.Thread(target=asked.listen, daemon=True).start()
        yield asked


def trained(data: Path) -> str:
    """Train a run in that folder, with its curve; its id."""
    with service(data) as client:
        run = client.create_run(SPEC).run
        while any(not job.state.is_final for job in client.jobs(run_id=run.id).items):
            time.sleep(0.5)
        if client.run(run.id).best_epoch is None:
            raise SystemExit(f"The run failed: {client.run(run.id).error}")
        return run.id


def told(seconds: list[float]) -> str:
    """Median, 95th percentile and the longest, in ms."""
    ordered = sorted(1000 * value for value in seconds)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return f"{statistics.median(ordered):.0f} | {p95:.0f} | {ordered[-1]:.0f}"


def measure(folder: Path, n: int) -> None:
    """Train, ask both services in turns, print the table."""
    run_id = trained(folder / "warm")
    shutil.copytree(folder / "warm", folder / "fresh")
    draw = random.Random(0)
    with (
        listening("kept process", folder / "warm", None) as warm,
        listening("fresh process", folder / "fresh", "0") as fresh,
    ):
        time.sleep(1)  # both streams stand
        both = (warm, fresh)
        for _ in range(n + 1):
            ratio = draw.uniform(0.02, 0.9)
            for asked in both:
                asked.ask(run_id, ratio)
    print("| | first answer, ms: p50 | p95 | most | whole split, ms: p50 | p95 | most |")
    print("|---|---|---|---|---|---|---|")
    for asked in both:
        print(f"| {asked.name} | {told(asked.first[1:])} | {told(asked.whole[1:])} |")
    cold = ", ".join(f"{a.name} {a.first[0]:.2f} s" for a in both)
    print(f"The first request of each: {cold}. n = {len(warm.first) - 1} each.")
    ratio = statistics.median(fresh.first[1:]) / statistics.median(warm.first[1:])
    images = statistics.median(warm.images) if warm.images else 0
    print(f"First answer {ratio:.1f}× sooner, from {images:.0f} images (median).")


def main() -> None:
    """Measure in a folder that is removed afterwards."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else N
    title = SPEC.title()
    print(f"One cut of {title}, width 0.25, over HTTP and the event stream; {machine()}")
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), n)


if __name__ == "__main__":
    main()
