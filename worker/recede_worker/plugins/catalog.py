"""The catalog that a worker publishes: its plug-ins, its devices and a demo run."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

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

DEMO_LR = 0.1
"""Together with what plug-ins declare: half of the neurons can be cut without loss
(docs/benchmarks.md) after about a minute on two cores."""


def build_catalog(roots: Sequence[Path], networks: tuple[Path, ...] = ()) -> Catalog:
    """Everything that this process can train, with data sets below `roots`.

    `networks` are files with the user's own networks.

    Asks CUDA for its devices, so start other processes afterwards by spawn, not by fork.

    Raises:
        BadPlugin: a plug-in file that cannot be used.
    """
    infos = tuple(dataset.info(roots) for dataset in datasets().values())
    return Catalog(
        methods=tuple(method.info for method in methods().values()),
        architectures=tuple(
            architecture.info for architecture in architectures(networks).values()
        ),
        datasets=infos,
        devices=(_cpu(), *_cuda_devices()),
        demo=_demo(infos),
        criteria=tuple(criterion.info for criterion in criteria().values()),
        problems=problems(networks),
    )


def _demo(infos: Sequence[DatasetInfo]) -> RunSpec:
    """On the largest of the ready data sets that declare a demo, else on one to be fetched."""
    declared = [info for info in infos if datasets()[info.name].demo]
    ready = [info for info in declared if info.status == "ready"]
    return demo_on(max(ready or declared, key=lambda info: info.n_train).name)


def demo_on(dataset: str) -> RunSpec:
    """The demo run on a data set that declares one."""
    architecture = next(one for one in architectures().values() if one.demo)
    method = next(one for one in methods().values() if one.demo)
    return RunSpec(
        name="Demo",
        dataset=dataset,
        architecture=architecture.name,
        architecture_params=dict(architecture.demo),
        method=method.name,
        method_params=dict(method.demo),
        lr=DEMO_LR,
        **datasets()[dataset].demo,
    )


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
