"""The catalog that a worker publishes: its plug-ins, its devices and a demo run."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import torch

from recede.contract.spec.catalog import (
    Catalog,
    DatasetInfo,
    Device,
)
from recede.contract.spec.run import RunSpec
from recede_worker.plugins.registry import (
    architectures,
    criteria,
    datasets,
    methods,
    problems,
)
from recede_worker.process.machine import cpu_name

# Settings at which half of the neurons can be cut at no loss (docs/benchmarks.md), about a minute
# on two cores. The first data set that is ready is taken.
DEMO: dict[str, dict[str, Any]] = {
    "fashion-mnist": {"epochs": 4, "batch_size": 128},
    "digits": {"epochs": 40, "batch_size": 32, "val_fraction": 0.25},
}
DEMO_SETTINGS: dict[str, Any] = {
    "name": "Demo",
    "architecture": "vgg11",
    "architecture_params": {"width": 0.25},
    "method": "rni",
    "method_params": {"lam": 0.05, "shift": 3.0},
    "lr": 0.1,
}


def build_catalog(roots: Sequence[Path]) -> Catalog:
    """Everything that this process can train, with data looked for under `roots`.

    Asks CUDA for its devices, so start other processes afterwards by spawn, not by fork.

    Raises:
        BadPlugin: a plug-in file that cannot be used.
    """
    infos = tuple(dataset.info(roots) for dataset in datasets().values())
    return Catalog(
        methods=tuple(method.info for method in methods().values()),
        architectures=tuple(architecture.info for architecture in architectures().values()),
        datasets=infos,
        devices=(_cpu(), *_cuda_devices()),
        demo=_demo(infos),
        criteria=tuple(criterion.info for criterion in criteria().values()),
        problems=problems(),
    )


def _demo(infos: Sequence[DatasetInfo]) -> RunSpec:
    ready = {info.name for info in infos if info.status == "ready"}
    dataset = next((name for name in DEMO if name in ready), "digits")
    return RunSpec(dataset=dataset, **DEMO_SETTINGS, **DEMO[dataset])


def _cpu() -> Device:
    threads = torch.get_num_threads()
    label = f"{cpu_name()} ({threads} thread{'s' if threads > 1 else ''})"
    memory = psutil.virtual_memory().total
    return Device(name="cpu", label=label, memory_bytes=memory, processes=_cores())


def _cores() -> int:
    """Cores that this process may use, which may be fewer than the machine has."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cuda_devices() -> list[Device]:
    found = []
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        found.append(
            Device(
                name=f"cuda:{index}",
                label=properties.name,
                memory_bytes=properties.total_memory,
            )
        )
    return found
