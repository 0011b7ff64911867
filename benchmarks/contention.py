"""Training beside another busy process: OpenMP's default waiting against the worker's.

    python -m benchmarks.contention

Claim: with the spin count that the worker sets, one other busy process slows training far
less, and an idle machine is as fast as before. Baseline: libgomp's default in the same run,
in turns, each measurement in a process of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

from benchmarks.parts.report import machine

N_RUNS = 5
STEPS = 20
SPIN_COUNT = "10000"  # worker/recede_worker/__main__.py

STEP = f"""
import time, torch
from worker import registry
from recede_worker.engine.training.epoch.step import make_optimiser
torch.manual_seed(0)
vgg = registry.architectures()["vgg11"]
model = vgg.build(vgg.config(1, 10, 28, {{"width": 0.25}}))
optimiser = make_optimiser(model, 0.1)
x, y = torch.randn(128, 1, 28, 28), torch.randint(0, 10, (128,))
def step():
    optimiser.zero_grad()
    torch.nn.functional.cross_entropy(model(x), y).backward()
    optimiser.step()
for _ in range(3):
    step()
start = time.perf_counter()
for _ in range({STEPS}):
    step()
print({STEPS} * 128 / (time.perf_counter() - start))
"""
BUSY = "while True: pass"


def images_per_s(spin_count: str | None) -> float:
    """Training speed of a fresh process with that spin count (None: libgomp's default)."""
    environment = {k: v for k, v in os.environ.items() if k != "GOMP_SPINCOUNT"}
    environment.pop("OMP_NUM_THREADS", None)
    if spin_count is not None:
        environment["GOMP_SPINCOUNT"] = spin_count
    command = [sys.executable, "-c", STEP]
    return float(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)


def compare(label: str) -> None:
    """Print both speeds and their ratio, measured in turns."""
    pairs = [(images_per_s(None), images_per_s(SPIN_COUNT)) for _ in range(N_RUNS)]
    default, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(
        f"{label}: default {default:,.0f} images/s, spin count {SPIN_COUNT} {ours:,.0f} images/s, "
        f"ratio {ours / default:.2f} (of single pairs: "
        f"{min(b / a for a, b in pairs):.2f} to {max(b / a for a, b in pairs):.2f})"
    )


def main() -> None:
    """Measure on the machine as it is, then beside one busy process."""
    print(machine())
    print(f"VGG-11 at width 0.25, batch 128, n = {N_RUNS} pairs of {STEPS} steps")
    compare("machine as it is")
    busy = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        compare("beside one busy process")
    finally:
        busy.kill()
        busy.wait()


if __name__ == "__main__":
    main()
