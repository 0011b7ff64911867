"""In which number format a training computes: bfloat16 where the device is built for it."""

from __future__ import annotations

from typing import Literal

import torch

Precision = Literal["fp32", "bf16"]


def resolve(wanted: str, device: torch.device) -> Precision:
    """What "auto" means on this device; decided by what it is, never by a timing.

    Weights, statistics, penalty and optimiser stay float32 in both. On a CPU, bfloat16 pays
    where there are instructions for it (docs/benchmarks.md); without them it is emulated.
    """
    if wanted == "bf16":
        return "bf16"
    return "bf16" if wanted == "auto" and has_bf16(device) else "fp32"


def has_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 numbers in hardware."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    found: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(found.get("amx_bf16") or found.get("avx512_bf16"))


def autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """The context in which the network computes its scores."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
