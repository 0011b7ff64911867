"""One epoch of training: the published recipe, the penalty on all scales in one pass."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from recede.contract.errors import InvalidInput, RecedeError
from recede.contract.spec.params import ParamValue
from recede_worker.core.norms.bounded import BoundedBatchNorm2d
from recede_worker.core.norms.gated import GatedBatchNorm2d
from recede_worker.core.norms.importance import Scales, concatenated
from recede_worker.engine.training.epoch.distillation import Teacher
from recede_worker.engine.training.epoch.precision import Precision, autocast
from recede_worker.methods.base import Method

MOMENTUM = 0.9
WEIGHT_DECAY = 1e-4
BOUNDED_LR_FACTOR = 10  # the published settings give w ten times the rate and no decay
GATE_LR_FACTOR = 50  # measured for few epochs on given weights: docs/method.md
CHECK_EVERY = 20  # steps between checks of the losses: a check waits for the device


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

    @classmethod
    def before_training(cls, loss: float) -> TrainingDiverged:
        """The error for weights whose loss is not finite before the first step."""
        return cls(
            f"The loss of the validation images is {loss} before any training.",
            hint="Check the weights that the run starts from, and that its images are normalised "
            "as they were for those.",
        )


def logits_of(output: object, n: int) -> Tensor:
    """The scores of n images among what a network returns while it trains.

    A network with auxiliary heads returns theirs after its own; those heads are not trained.

    Raises:
        InvalidInput: there is no tensor (N, classes) where it should be.
    """
    first = output[0] if isinstance(output, tuple | list) and output else output
    if isinstance(first, Tensor) and first.ndim == 2 and len(first) == n:
        return first
    found = f"a tensor {tuple(first.shape)}" if isinstance(first, Tensor) else type(first).__name__
    where = "" if first is output else f" as the first of a {type(output).__name__}"
    raise InvalidInput(
        f"While it trains, the network gives {found}{where} for {n} images; one score for each "
        "image and class is needed.",
        field="architecture",
        hint="Let it return a tensor (N, classes), alone or as the first of a tuple.",
    )


@dataclass
class Totals:
    """Running sums of one epoch, on the device until they are read."""

    images: int = 0
    steps: int = 0
    loss: Tensor = field(default_factory=lambda: torch.zeros(()))
    penalty: Tensor = field(default_factory=lambda: torch.zeros(()))
    correct: Tensor = field(default_factory=lambda: torch.zeros(()))
    unchecked: list[Tensor] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    def add(self, penalty: Tensor, cross_entropy: Tensor, correct: Tensor, n: int) -> None:
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
    """SGD with Nesterov momentum; logits of importances at a multiple of the rate, undecayed."""
    norms = [m for m in model.modules() if isinstance(m, BoundedBatchNorm2d)]
    gates = [norm.weight for norm in norms if isinstance(norm, GatedBatchNorm2d)]
    bounded = [norm.weight for norm in norms if not isinstance(norm, GatedBatchNorm2d)]
    chosen = {id(weight) for weight in (*bounded, *gates)}
    others = [p for p in model.parameters() if p.requires_grad and id(p) not in chosen]
    groups = [{"params": others, "factor": 1, "weight_decay": WEIGHT_DECAY}]
    for logits, factor in ((bounded, BOUNDED_LR_FACTOR), (gates, GATE_LR_FACTOR)):
        if logits:
            groups.append({"params": logits, "factor": factor, "weight_decay": 0.0})
    # fused: one pass over all weights instead of several over each
    return torch.optim.SGD(groups, lr=lr, momentum=MOMENTUM, nesterov=True, fused=True)


class Reduction:
    """From a process's part of each batch to the whole batch: here one process has all of it.

    For several processes see distributed/process_group.py.
    """

    def weight(self, n: int, step: int) -> float:  # noqa: ARG002
        """Factor of the mean loss of n images in a step counted from 0."""
        return 1.0

    def total(
        self,
        cross_entropy: Tensor,
        correct: Tensor,
        n: int,
        step: int,  # noqa: ARG002
    ) -> tuple[Tensor, Tensor, int]:
        """Mean cross-entropy, correct predictions and number of images of the whole batch."""
        return cross_entropy, correct, n


@dataclass
class Step:
    """One step of the recipe: cross-entropy plus penalty, backward, SGD.

    `forward` is the network, perhaps compiled or wrapped; `scales` are its raw scales, which
    the penalty sees as one tensor. Scores are computed in `precision`, losses in float32 at least.
    """

    forward: nn.Module
    optimiser: torch.optim.SGD
    scales: Scales
    method: Method
    params: Mapping[str, ParamValue]
    precision: Precision = "fp32"
    label_smoothing: float = 0.0
    teacher: Teacher | None = None
    reduction: Reduction = field(default_factory=Reduction)

    def set_lr(self, lr: float) -> None:
        """Learning rate of the next step; logits of importances get their multiple of it."""
        for group in self.optimiser.param_groups:
            group["lr"] = lr * group["factor"]

    def __call__(self, x_BCHW: Tensor, y_B: Tensor, totals: Totals) -> None:
        """Take the step and count it."""
        self.optimiser.zero_grad(set_to_none=True)
        with autocast(self.precision, x_BCHW.device):
            logits_BK = logits_of(self.forward(x_BCHW), len(x_BCHW))
        logits_BK = logits_BK.to(torch.promote_types(logits_BK.dtype, torch.float32))
        cross_entropy = functional.cross_entropy(
            logits_BK, y_B, label_smoothing=self.label_smoothing
        )
        penalty = self.method.penalty(concatenated(self.scales), self.params)
        weight = self.reduction.weight(len(y_B), totals.steps)
        loss = self._with_teacher(x_BCHW, logits_BK, cross_entropy)
        (loss * weight + penalty).backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        correct = (logits_BK.detach().argmax(1) == y_B).sum()
        whole = self.reduction.total(cross_entropy.detach(), correct, len(y_B), totals.steps)
        totals.add(penalty, *whole)

    def _with_teacher(self, x_BCHW: Tensor, logits_BK: Tensor, cross_entropy: Tensor) -> Tensor:
        if self.teacher is None:
            return cross_entropy
        with autocast(self.precision, x_BCHW.device):
            teacher_BK = self.teacher.logits(x_BCHW)
        return self.teacher.loss(logits_BK, teacher_BK, cross_entropy)


def train_epoch(
    step: Step,
    batches: Iterator[tuple[Tensor, Tensor]],
    lr: Callable[[int], float],
    *,
    epoch: int,
    after_step: Callable[[Totals], None],
) -> Totals:
    """Train over all batches once; `after_step` may raise to stop between two of them.

    `lr` gives the learning rate of each step, counted from 0 in this epoch.

    Raises:
        TrainingDiverged: the loss was not finite at some step; the message names it.
    """
    step.forward.train()
    totals = Totals()
    for x_BCHW, y_B in batches:
        step.set_lr(lr(totals.steps))
        step(x_BCHW, y_B, totals)
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
