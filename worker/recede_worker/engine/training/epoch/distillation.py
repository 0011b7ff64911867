"""Knowledge distillation: a network learns from the logits of a larger one beside the labels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Teacher:
    """A network in evaluation mode whose logits are learned from, on the student's device.

    `weight` in (0, 1] is the share of the loss that is the teacher's, `temperature` > 0 softens
    both networks' logits.
    """

    network: nn.Module
    weight: float
    temperature: float

    @torch.no_grad()
    def logits(self, x_BCHW: Tensor) -> Tensor:
        """Its logits [B, K] for a batch of normalised images, in float32 at least."""
        logits_BK: Tensor = self.network(x_BCHW)
        return logits_BK.to(torch.promote_types(logits_BK.dtype, torch.float32))

    def loss(self, student_BK: Tensor, teacher_BK: Tensor, cross_entropy: Tensor) -> Tensor:
        """(1 − w)·cross-entropy + w·T²·KL(teacher ‖ student) of softened logits, a scalar.

        The mean over the images. T² keeps the gradient's size the same for every temperature
        (Hinton et al. 2015, arXiv:1503.02531, section 2).
        """
        soft = self.temperature**2 * divergence(student_BK, teacher_BK, self.temperature)
        return (1 - self.weight) * cross_entropy + self.weight * soft


def divergence(student_BK: Tensor, teacher_BK: Tensor, temperature: float) -> Tensor:
    """KL(teacher ‖ student) of the softmax of logits / temperature: nats, mean over images."""
    return functional.kl_div(
        functional.log_softmax(student_BK / temperature, 1),
        functional.log_softmax(teacher_BK / temperature, 1),
        reduction="batchmean",
        log_target=True,
    )
