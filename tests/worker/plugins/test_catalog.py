"""The catalog that a worker publishes holds all plug-ins, all devices and a demo that runs."""

from __future__ import annotations

from types import SimpleNamespace

import torch

import recede_worker.plugins.catalog
from recede.contract.spec.catalog import Catalog
from recede_worker.plugins.catalog import build_catalog
from recede_worker.plugins.registry import (
    architectures,
    criteria,
    datasets,
    methods,
)


def test_every_plugin_is_in_the_catalog_and_survives_as_json(tmp_path):
    catalog = build_catalog([tmp_path])
    assert [entry.name for entry in catalog.methods] == list(methods())
    assert [entry.name for entry in catalog.architectures] == list(architectures())
    assert [entry.name for entry in catalog.criteria] == list(criteria())
    assert [entry.name for entry in catalog.datasets] == list(datasets())
    assert Catalog.model_validate_json(catalog.model_dump_json()) == catalog


def test_the_demo_can_be_queued_on_this_machine(tmp_path):
    catalog = build_catalog([tmp_path])
    assert catalog.check(catalog.demo).architecture_params
    assert catalog.dataset(catalog.demo.dataset).status == "ready"


def test_the_demo_takes_the_largest_data_set_that_is_ready(tmp_path, monkeypatch):
    known = {name: dataset for name, dataset in datasets().items() if dataset.demo}
    assert len(known) > 1
    monkeypatch.setattr(recede_worker.plugins.catalog, "datasets", lambda: known)
    catalog = build_catalog([tmp_path])
    ready = [info for info in catalog.datasets if info.status == "ready"]
    assert catalog.demo.dataset == max(ready, key=lambda info: info.n_train).name
    smallest = min(ready, key=lambda info: info.n_train).name
    known = {smallest: known[smallest]}
    assert build_catalog([tmp_path]).demo.dataset == smallest


def test_the_cpu_is_described_and_gpus_are_listed_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(
        torch.cuda,
        "get_device_properties",
        lambda index: SimpleNamespace(name=f"GPU {index}", total_memory=index + 1),
    )
    cpu, *gpus = build_catalog([tmp_path]).devices
    assert cpu.name == "cpu"
    assert f"({torch.get_num_threads()} thread" in cpu.label
    assert cpu.memory_bytes > 2**20
    assert [(gpu.name, gpu.label, gpu.memory_bytes) for gpu in gpus] == [
        ("cuda:0", "GPU 0", 1),
        ("cuda:1", "GPU 1", 2),
    ]
