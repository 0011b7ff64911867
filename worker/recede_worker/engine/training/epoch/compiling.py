"""torch.compile, as an option of a training: faster steps after a slow first one."""

from __future__ import annotations

import shutil
from typing import cast

import torch
from torch import nn

from recede.contract.errors import InvalidInput


def compiled(model: nn.Module) -> nn.Module:
    """The network as one compiled function; its weights and state are the model's own.

    Raises:
        InvalidInput: there is no C++ compiler, which the generated code needs.
    """
    if not any(shutil.which(name) for name in ("c++", "g++", "clang++")):
        raise InvalidInput(
            "The run uses torch.compile, and this machine has no C++ compiler.",
            field="compile",
            hint="Install one (Debian: g++), or start the run without it.",
        )
    return cast("nn.Module", torch.compile(model))
