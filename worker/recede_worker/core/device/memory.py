"""Whether an error means that memory ran out."""

from __future__ import annotations

import torch

NO_MEMORY = ("can't allocate memory", "not enough memory", "Cannot allocate memory", "bad_alloc")
"""Texts of torch's errors about the CPU's memory, which have no type of their own."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, of the device or of the machine."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in NO_MEMORY)
