"""Cuts of ordinary batch norm whose constants are folded: files, figures and their proof."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from recede.contract.spec.run import Plan, PrunePayload
from recede.contract.states import JobKind
from recede.store.results import evaluations
from recede_worker.engine.verification.archive import open_archive
from recede_worker.engine.verification.verify import verified
from tests.worker.engine.in_process import ORDINARY, InProcessWorker, worker

__all__ = ["worker"]


@pytest.fixture(scope="module")
def cuts(worker: InProcessWorker) -> dict[str, Path]:
    """Folders of the same channels cut in both ways."""
    run_id = worker.train(ORDINARY.model_copy(update={"epochs": 1})).run_id
    folders = {}
    for bias in ("drop", "fold"):
        plan = Plan(ratio=0.4, scope="local", bias=bias)
        payload = PrunePayload(plan=plan, formats=("safetensors",))
        job = worker.enqueue(run_id, JobKind.PRUNE, payload)
        made = job.perform().result["checkpoint_id"]
        worker.finish(job)
        with worker.store.read() as session:
            path = evaluations.checkpoint(session, made).files["manifest"]["path"]
        folders[bias] = (worker.settings.artifacts / path).parent
    return folders


def manifest_of(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return read


def test_the_manifest_says_what_was_chosen_and_what_both_ways_differ_by(cuts):
    dropped, folded = (manifest_of(cuts[bias]) for bias in ("drop", "fold"))
    assert dropped["kept_channels"] == folded["kept_channels"]
    assert dropped["cost"] == folded["cost"]
    assert (dropped["plan"]["bias"], folded["plan"]["bias"]) == ("drop", "fold")
    for told, bias in ((dropped, "drop"), (folded, "fold")):
        assert told["constants"]["chosen"] == bias
        assert told["constants"]["images"] > 0
        assert 0 < told["constants"]["folded"] < told["constants"]["dropped"]
    assert folded["constants"]["left"] == []
    for key in ("dropped", "folded"):
        assert dropped["constants"][key] == folded["constants"][key]


def test_folding_writes_other_weights_for_the_same_channels(cuts):
    dropped, folded = (load_file(cuts[bias] / "model.safetensors") for bias in ("drop", "fold"))
    assert {n: t.shape for n, t in dropped.items()} == {n: t.shape for n, t in folded.items()}
    changed = {name for name in dropped if not torch.equal(dropped[name], folded[name])}
    assert changed
    assert all(name.endswith(("running_mean", "bias")) for name in changed), changed


@pytest.mark.parametrize("bias", ["drop", "fold"])
def test_both_are_proved_again_by_verify(cuts, bias):
    with open_archive(cuts[bias]) as found:
        checks = verified(found, trust=False)
    assert [check for check in checks if check.state == "failed"] == []
    proved = [check for check in checks if "= masked network" in check.what]
    assert any(check.state == "ok" for check in proved)
