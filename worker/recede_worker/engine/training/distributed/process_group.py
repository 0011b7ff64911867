"""The process group of one training, and the part of each batch that a process takes."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from recede_worker.core.norms.synced import synchronise
from recede_worker.engine.inputs.load import Network
from recede_worker.engine.training.epoch.step import Reduction, Step, logits_of

PATIENCE = timedelta(minutes=30)
"""How long one process waits for the others in a step; a death is noticed at once."""

_NEW_NAME = "forward_sync_buffers" in inspect.signature(DistributedDataParallel).parameters
_NO_SYNC: dict[str, Any] = {
    "forward_sync_buffers" if _NEW_NAME else "broadcast_buffers": False  # torch has renamed it
}


@dataclass(frozen=True)
class ProcessGroup:
    """One process's membership in the group; `folder` is one that all of them can access."""

    rank: int
    size: int
    device: torch.device
    folder: Path

    def join(self) -> None:
        """Wait until all processes have joined: over NCCL on GPUs, over gloo on the CPU."""
        on_gpu = self.device.type == "cuda"
        if on_gpu:
            torch.cuda.set_device(self.device)
        dist.init_process_group(
            "nccl" if on_gpu else "gloo",
            store=dist.FileStore(str(self.folder / "rendezvous"), self.size),  # type: ignore[attr-defined]
            rank=self.rank,
            world_size=self.size,
            timeout=PATIENCE,
            device_id=self.device if on_gpu else None,
        )

    def share(self, step: Step, network: Network, n_train: int, batch_size: int) -> None:
        """Let a step work on a share of each batch; the weights become those of rank 0.

        All processes then take the same step that one process takes on the whole batch.
        """
        synchronise(network.model)
        for buffer in network.model.buffers():
            dist.broadcast(buffer, 0)  # once: they stay alike, as the statistics are
        step.forward = DistributedDataParallel(
            _Logits(step.forward),
            find_unused_parameters=_has_auxiliary_heads(network),
            device_ids=[self.device] if self.device.type == "cuda" else None,
            gradient_as_bucket_view=True,
            **_NO_SYNC,
        )
        step.reduction = AllReduce(self.size, n_train, batch_size)


class _Logits(nn.Module):
    """A network without its auxiliary outputs, whose parameters the others would wait for."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return logits_of(self.network(x_BCHW), len(x_BCHW))


def _has_auxiliary_heads(network: Network) -> bool:
    """Whether it has layers that its scores do not come through; their gradients never arrive."""
    return any(not op.positions for op in network.shape.ops if op.kind != "norm")


@dataclass(frozen=True)
class AllReduce(Reduction):
    """Totals over the parts that several processes have of each batch."""

    size: int
    n_train: int
    batch_size: int

    def weight(self, n: int, step: int) -> float:
        """Over the mean of all processes' gradients, each image counts the same."""
        return self.size * n / self._whole(step)

    def total(
        self, cross_entropy: Tensor, correct: Tensor, n: int, step: int
    ) -> tuple[Tensor, Tensor, int]:
        """Mean cross-entropy, correct predictions and number of images of the whole batch."""
        sums = torch.stack([cross_entropy.double() * n, correct.double()])
        dist.all_reduce(sums)
        whole = self._whole(step)
        return (sums[0] / whole).to(cross_entropy.dtype), sums[1], whole

    def _whole(self, step: int) -> int:
        return min(self.batch_size, self.n_train - step * self.batch_size)
