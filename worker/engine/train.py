"""One epoch of training: the published recipe, the penalty on all scales in one pass."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from backend.contract.errors import RecedeError
from backend.contract.params import ParamValue
from backend.contract.specs import RunSpec
from worker.core.bounded_norm import BoundedBatchNorm2d
from worker.core.importance import concatenated
from worker.methods.base import Method

MOMENTUM = 0.9
WEIGHT_DECAY = 1e-4
BOUNDED_LR_FACTOR = 10  # the published settings give w ten times the rate and no decay
CHECK_EVERY = 20  # steps between looks at the losses: a look waits for the device


class TrainingDiverged(RecedeError):
    """The loss is no longer a finite number."""

    code = "diverged"

    @classmethod
    def after(cls, epoch: int, step: int, loss: float) -> TrainingDiverged:
        """The error for a loss that was first seen at this step of this epoch."""
        return cls(
            f"The loss became {loss} in epoch {epoch}, step {step}.",
            hint="Use a smaller learning rate or a smaller λ. "
            "The weights of the best earlier epoch, if one was finished, are kept.",
        )


@dataclass
class Totals:
    """Running sums of one epoch, on the device until somebody looks."""

    images: int = 0
    steps: int = 0
    loss: Tensor = field(default_factory=lambda: torch.zeros(()))
    penalty: Tensor = field(default_factory=lambda: torch.zeros(()))
    correct: Tensor = field(default_factory=lambda: torch.zeros(()))
    unchecked: list[Tensor] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    def add(self, cross_entropy: Tensor, penalty: Tensor, correct: Tensor, n: int) -> None:
        """Count one step of n images."""
        self.images += n
        self.steps += 1
        self.loss = self.loss.to(cross_entropy.device) + cross_entropy.detach() * n
        self.penalty = penalty.detach()
        self.correct = self.correct.to(correct.device) + correct
        self.unchecked.append((cross_entropy + penalty).detach())

    @property
    def seconds(self) -> float:
        """Since the epoch began."""
        return time.perf_counter() - self.started

    def metrics(self) -> dict[str, float]:
        """Mean cross-entropy and accuracy so far, the last penalty, images a second."""
        return {
            "loss": float(self.loss) / self.images,
            "accuracy": float(self.correct) / self.images,
            "penalty": float(self.penalty),
            "images_per_s": self.images / max(self.seconds, 1e-9),
        }


def make_optimiser(model: nn.Module, lr: float) -> torch.optim.SGD:
    """SGD with Nesterov momentum; bounded scales at ten times the rate and without decay."""
    bounded = [m.weight for m in model.modules() if isinstance(m, BoundedBatchNorm2d)]
    chosen = {id(weight) for weight in bounded}
    others = [p for p in model.parameters() if p.requires_grad and id(p) not in chosen]
    groups = [{"params": others, "factor": 1, "weight_decay": WEIGHT_DECAY}]
    if bounded:
        groups.append({"params": bounded, "factor": BOUNDED_LR_FACTOR, "weight_decay": 0.0})
    return torch.optim.SGD(groups, lr=lr, momentum=MOMENTUM, nesterov=True)


def lr_at(epoch: int, spec: RunSpec) -> float:
    """Learning rate of an epoch counted from 1: divided by 10 at 50 % and 75 % of the epochs."""
    done = (epoch - 1) / spec.epochs
    return spec.lr / (1 if done < 0.5 else 10 if done < 0.75 else 100)


def train_epoch(
    model: nn.Module,
    optimiser: torch.optim.SGD,
    batches: Iterator[tuple[Tensor, Tensor]],
    scales: Sequence[nn.Parameter],
    method: Method,
    params: dict[str, ParamValue],
    lr: float,
    *,
    epoch: int,
    after_step: Callable[[Totals], None],
) -> Totals:
    """Train over all batches once; `after_step` may raise to stop between two of them.

    Raises:
        TrainingDiverged: the loss was not finite at some step; the message names it.
    """
    for group in optimiser.param_groups:
        group["lr"] = lr * group["factor"]
    model.train()
    totals = Totals()
    for x_BCHW, y_B in batches:
        optimiser.zero_grad(set_to_none=True)
        logits_BK = model(x_BCHW)
        cross_entropy = functional.cross_entropy(logits_BK, y_B)
        penalty = method.penalty(concatenated(scales), params)
        (cross_entropy + penalty).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        correct = (logits_BK.detach().argmax(1) == y_B).sum()
        totals.add(cross_entropy, penalty, correct, len(y_B))
        if len(totals.unchecked) >= CHECK_EVERY:
            _refuse_infinite(totals, epoch)
        after_step(totals)
    _refuse_infinite(totals, epoch)
    return totals


def _refuse_infinite(totals: Totals, epoch: int) -> None:
    if not totals.unchecked:
        return
    losses = torch.stack(totals.unchecked).tolist()
    first = totals.steps - len(losses) + 1
    totals.unchecked.clear()
    for step, loss in enumerate(losses, start=first):
        if not math.isfinite(loss):
            raise TrainingDiverged.after(epoch, step, loss)
