"""Penalties on the raw scales of all prunable neurons, fused over one tensor of N numbers."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def receding(raw_N: Tensor, shift: float) -> Tensor:
    """R = Σ s·(1 − ln s) with s = σ(w + b), for logits w = `raw_N` and b = `shift`.

    dR/dw = −s·(1 − s)·ln s: near 0 for strong neurons, largest (0.26) at s ≈ 0.236, so weak
    neurons recede and strong ones are left alone (Suteu and Guo, arXiv 2204.06404). Value and
    gradient are finite for every finite w, for ln s comes from logsigmoid.
    """
    log_s_N = functional.logsigmoid(raw_N + shift)
    return (log_s_N.exp() * (1 - log_s_N)).sum()


def slimming(raw_N: Tensor) -> Tensor:
    """R = Σ|γ|, the L1 norm of the scales (Liu et al., "Network Slimming", ICCV 2017)."""
    return raw_N.abs().sum()
