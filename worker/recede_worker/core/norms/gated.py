"""Gates on trained batch norms: importances in (0, 1) for a network that comes trained.

Tensor letters: N batch, C channels, H and W pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from recede_worker.core.norms.bounded import BoundedBatchNorm2d, ThenOwnModules, replace


class GatedBatchNorm2d(BoundedBatchNorm2d):
    """y = σ(w)/σ(w₀)·(γ·(x − μ)/√(v + ε) + β), with w₀ the logit that w began with.

    At w = w₀ it is the ordinary batch norm of γ and β to the last bit. `weight` is w; σ(w) is
    the channel's importance, and as it goes to 0 the channel sends nothing, β included.
    """

    FOLDED_AWAY: ClassVar[tuple[str, ...]] = ("gamma", "beta", "start")
    """Entries of its state_dict that no ordinary batch norm has."""

    start: Tensor

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        *,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, device=device, dtype=dtype)
        self.gamma = nn.Parameter(torch.ones(num_features, device=device, dtype=dtype))
        self.beta = nn.Parameter(torch.zeros(num_features, device=device, dtype=dtype))
        self.register_buffer("start", self.weight.detach().clone())

    def affine(self) -> tuple[Tensor, Tensor]:
        """γ and β, each times σ(w)/σ(w₀)."""
        factor_C = torch.sigmoid(self.weight) / torch.sigmoid(self.start)
        return self.gamma * factor_C, self.beta * factor_C

    @torch.no_grad()
    def begin_at(self, logit_C: Tensor) -> None:
        """Let w and w₀ be these logits, float of shape (C,): γ and β are the function again."""
        self.weight.copy_(logit_C)
        self.start.copy_(self.weight)


class GatedNormAct2d(ThenOwnModules, GatedBatchNorm2d):
    """A gated batch norm in place of one that applies modules of its own to its result."""


def gate(model: nn.Module, names: Sequence[str], generator: torch.Generator) -> None:
    """Put gates on the named `nn.BatchNorm2d` modules, in place; outputs stay as they were.

    γ, β, running statistics, ε, momentum, device, dtype and mode are kept. w₀ is drawn from
    N(0, 1) with the CPU `generator`, in float32: logits that are all alike, or made of |γ|, do
    not part into two kinds (docs/method.md has the figures).

    Raises:
        InvalidInput: a name is not a BatchNorm2d of this model; nothing is replaced then.
    """

    @torch.no_grad()
    def finish(new: GatedBatchNorm2d, old: nn.BatchNorm2d) -> None:
        new.gamma.copy_(old.weight)
        new.beta.copy_(old.bias)
        new.begin_at(torch.randn(new.num_features, generator=generator))

    replace(model, names, GatedBatchNorm2d, GatedNormAct2d, finish)
