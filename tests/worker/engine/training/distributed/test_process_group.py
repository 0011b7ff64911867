"""The step that several processes take together is the one that one process takes, exactly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from recede_worker.engine.inputs.load import Network, network_for
from recede_worker.engine.inputs.splits import Share, shares
from recede_worker.engine.training.distributed.process_group import ProcessGroup
from recede_worker.engine.training.epoch.recipe import make_step
from recede_worker.engine.training.epoch.step import Totals
from tests.ranks import run_ranks
from tests.worker.engine.claimed_job import SMALL

N, BATCH = 133, 50  # 50, 50 and 33 images: the last one is shared unevenly
CPU = torch.device("cpu")
METHODS: dict[str, dict[str, Any]] = {
    "rni": {"method_params": {"lam": 0.02, "shift": 3.0}},  # bounded batch norm
    "l1": {"method_params": {"lam": 0.001}, "label_smoothing": 0.1},  # an ordinary one
}


class WithHead(nn.Module):
    """Gives what a head of its own says as well while it trains."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.auxiliary = nn.Linear(16 * 16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        logits = self.network(x)
        return (logits, self.auxiliary(x.flatten(1))) if self.training else logits


def with_auxiliary_head(network: Network) -> Network:
    torch.manual_seed(0)
    unreached = network.shape.ops[-1].model_copy(update={"name": "auxiliary", "positions": 0})
    return replace(
        network,
        model=WithHead(network.model),
        norms={group: f"network.{norm}" for group, norm in network.norms.items()},
        shape=network.shape.model_copy(update={"ops": (*network.shape.ops, unreached)}),
    )


def an_epoch(rank: int, size: int, method: str, auxiliary: bool = False) -> dict[str, np.ndarray]:
    """Weights, statistics and metrics after three steps in float64."""
    changes = {"method": method, "batch_size": BATCH, "precision": "fp32", **METHODS[method]}
    spec = SMALL.model_copy(update=changes)
    network = network_for(spec, (1, 16, 16), 10)
    if auxiliary:
        network = with_auxiliary_head(network)
    network.model.double()
    if rank:  # as on a process that has another start: the weights are those of rank 0
        for tensor in [*network.model.parameters(), *network.model.buffers()]:
            tensor.data.fill_(7)
    step = make_step(spec, network, CPU)
    if size > 1:
        ProcessGroup(rank, size, CPU, Path()).share(step, network, N, BATCH)
    generator = torch.Generator().manual_seed(0)
    x_NCHW = torch.randn(N, 1, 16, 16, generator=generator, dtype=torch.float64)
    y_N = torch.randint(0, 10, (N,), generator=generator)
    totals = Totals()
    step.forward.train()
    step.set_lr(0.1)
    for part in shares(N, BATCH, Share(rank, size)):
        step(x_NCHW[part], y_N[part], totals)
    metrics = totals.metrics()
    del metrics["images_per_s"]
    numbers = {name: np.array(value) for name, value in metrics.items()}
    return numbers | {name: t.numpy() for name, t in network.model.state_dict().items()}


def epochs(rank: int, size: int) -> dict[str, dict[str, np.ndarray]]:
    """One after the other, so that processes start once."""
    plain = {method: an_epoch(rank, size, method) for method in METHODS}
    return {**plain, "auxiliary head": an_epoch(rank, size, "rni", auxiliary=True)}


@pytest.fixture(scope="module", params=[pytest.param(2, marks=pytest.mark.thorough), 3])
def ranks(request: pytest.FixtureRequest) -> list[dict[str, dict[str, np.ndarray]]]:
    return run_ranks(request.param, epochs)


@pytest.mark.parametrize("case", [*METHODS, "auxiliary head"])
def test_processes_that_share_batches_are_one_process_up_to_rounding(ranks, case: str):
    found = [rank[case] for rank in ranks]
    for name, wanted in epochs(0, 1)[case].items():
        room = 1e-11 * max(1.0, float(np.abs(wanted).max()))
        np.testing.assert_allclose(found[0][name], wanted, rtol=1e-9, atol=room, err_msg=name)
        for other in found[1:]:
            np.testing.assert_array_equal(other[name], found[0][name], err_msg=name)
